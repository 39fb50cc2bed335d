export interface Ports {
  server: number;
  sandbox: number;
  registry: number;
  database: number;
}
export interface TakenPort {
  port: number;
  purpose: string;
  flag: string;
}
export const defaultFirstPort: number;
export function portsFrom(first: number): Ports;
export function takenPorts(ports: Ports): Promise<TakenPort[]>;
