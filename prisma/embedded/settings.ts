/** The server's settings: small in memory, and durable. */

/** Ours over PostgreSQL's defaults; `fsync`, `full_page_writes` and `synchronous_commit` stay on. */
export const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // Sockets of this machine would need a folder that both the server's user and ours can reach.
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '32MB',
  work_mem: '2MB',
  maintenance_work_mem: '32MB',
  wal_buffers: '4MB',
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  // Nobody replicates from it; records of changes are half as long.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  // No processes that wait in the background for large scans.
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  io_method: 'sync',
  autovacuum_max_workers: '1',
  jit: 'off',
  huge_pages: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
};

/** As arguments of `postgres`: `-c name=value`, sorted by name. */
export function settingArguments(values: Readonly<Record<string, string>>): string[] {
  return Object.keys(values)
    .sort()
    .flatMap((name) => ['-c', `${name}=${values[name] ?? ''}`]);
}
