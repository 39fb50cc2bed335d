/** Who a registry is asked as. */
export interface RegistryCredentials {
  username: string;
  password: string;
}
