/** The closed list of reason codes: what each means, and what a person does about it. docs/reasons.md holds the same list. */

type Reason = { means: string; todo: string };

const pushReasons = {
  tag_push: { means: 'Tags are not deployed.', todo: 'Push a branch that an environment names.' },
  ref_deleted: { means: 'The branch was deleted.', todo: 'Nothing; what runs keeps running.' },
  not_a_branch: { means: 'The ref is neither a branch nor a tag.', todo: 'Push a branch.' },
  branch_not_deployed: {
    means: 'No environment deploys this branch.',
    todo: 'Name the branch under environments in landfall.yml on the default branch.',
  },
  repository_archived: { means: 'The repository is archived.', todo: 'Unarchive it and push again.' },
  repository_removed: {
    means: 'The repository was deleted or taken out of the installation.',
    todo: 'Add it to the installation again.',
  },
  installation_suspended: { means: 'The installation is suspended.', todo: 'Unsuspend the GitHub App and push again.' },
  installation_removed: { means: 'The GitHub App was uninstalled.', todo: 'Install it again.' },
  out_of_order: {
    means: 'The branch has moved on since this push.',
    todo: 'Nothing; the later push is deployed.',
  },
  config_invalid: {
    means: 'landfall.yml cannot be understood.',
    todo: 'Fix the lines that the check run annotates and push again.',
  },
  nothing_to_deploy: {
    means: 'There is neither a landfall.yml nor a Dockerfile.',
    todo: 'Add a Dockerfile at the root of the repository, or a landfall.yml.',
  },
} as const satisfies Record<string, Reason>;

/** Why a delivery asked for nothing. */
const deliveryReasons = {
  event_unhandled: { means: 'Landfall does nothing on this event.', todo: 'Nothing.' },
  no_installation: {
    means: 'The event does not come from an installation of the app.',
    todo: 'Install the GitHub App on the repository.',
  },
  repository_unknown: {
    means: 'Nothing was ever pushed to this repository since the app was installed.',
    todo: 'Push a branch that an environment names.',
  },
  check_run_unknown: { means: 'The check run is none of ours.', todo: 'Nothing.' },
  subject_gone: { means: 'What it is about was deleted in the meantime.', todo: 'Nothing.' },
  server_ended: {
    means: 'The server ended while it worked on this, three times.',
    todo: 'Read in the log of the server how it ended; then run the check again, or push again.',
  },
} as const satisfies Record<string, Reason>;

/** What stands between a delivery or a write and GitHub. */
const githubReasons = {
  payload_unusable: {
    means: 'The payload lacks what is used of it.',
    todo: 'See whether a newer Landfall knows this form of the event.',
  },
  github_behind: { means: 'GitHub does not show yet what it told of.', todo: 'Nothing; it is asked again.' },
  github_rate_limited: {
    means: 'GitHub limits how often the app may ask.',
    todo: 'Nothing; it goes on when the limit ends.',
  },
  github_unavailable: { means: 'GitHub does not answer, or fails.', todo: 'Nothing; it is tried again.' },
  github_not_found: {
    means: 'GitHub shows nothing there, or not to this installation.',
    todo: 'See that the GitHub App is installed on the repository.',
  },
  github_forbidden: {
    means: 'The installation lacks a permission.',
    todo: 'Accept the permissions that the GitHub App asks for.',
  },
  github_credentials_refused: {
    means: 'GitHub refuses the credentials of the app.',
    todo: 'Check the app id, the private key and the clock of the server.',
  },
  github_conflict: { means: 'GitHub reports a conflict.', todo: 'Read what it says, and run it again.' },
  github_rejected: {
    means: 'GitHub rejects what was sent.',
    todo: 'Read what it says; the log of the server has more.',
  },
  repository_not_installed: {
    means: 'The installation does not include the repository any more.',
    todo: 'Add it to the installation again.',
  },
} as const satisfies Record<string, Reason>;

const intentReasons = {
  accepted: { means: 'The push is deployed.', todo: 'Nothing.' },
  superseded: { means: 'A newer push took its place.', todo: 'Nothing; the newer one is deployed.' },
  cancelled: { means: 'It was cancelled.', todo: 'Run it again when it is wanted.' },
  service_removed: { means: 'The service is gone from the configuration.', todo: 'Nothing.' },
  environment_removed: {
    means: 'The environment was removed.',
    todo: 'Push a branch that it follows to make it anew, if landfall.yml still names it.',
  },
  secret_missing: {
    means: 'A service needs a secret that its environment does not have.',
    todo: 'Set it with landfall secret set, and run the check again.',
  },
} as const satisfies Record<string, Reason>;

const buildReasons = {
  source_unavailable: {
    means: 'The commit could not be fetched from GitHub.',
    todo: 'See that the commit exists and that the GitHub App may read contents.',
  },
  dockerfile_missing: {
    means: 'There is no Dockerfile at the given path.',
    todo: 'Add one, or name another under build.dockerfile.',
  },
  dockerfile_invalid: {
    means: 'The Dockerfile cannot be understood.',
    todo: 'Fix what the message says; where one line is to blame, it is annotated.',
  },
  context_invalid: {
    means: 'The build context does not exist, or leaves the repository.',
    todo: 'Give build.context a directory inside the repository.',
  },
  step_failed: { means: 'A step of the Dockerfile failed.', todo: 'Read the end of the log and fix that step.' },
  base_image_unavailable: {
    means: 'The base image could not be pulled.',
    todo: 'See that its name is right and that its registry answers.',
  },
  registry_refused: {
    means: 'The registry refused the credentials.',
    todo: 'Give the control plane the right user name and password of the registry.',
  },
  registry_failed: {
    means: 'The registry did not take the image.',
    todo: 'Read its log; a full disk is the usual cause.',
  },
  registry_unreachable: { means: 'The registry does not answer.', todo: 'See that it runs and can be reached.' },
  disk_full: { means: 'The disk of the node is full.', todo: 'Free some space on the node, or add another node.' },
  out_of_memory: { means: 'It used more memory than it may.', todo: 'Give it more memory, or make it use less.' },
  timed_out: { means: 'The build took longer than it may.', todo: 'Make it faster, or raise build.timeout.' },
  builder_unavailable: {
    means: 'The node could not reach its BuildKit.',
    todo: 'See that BuildKit runs on the node.',
  },
  builder_lost: {
    means: 'The node that built it stopped answering, three times.',
    todo: 'See that the nodes that build are up, and run it again.',
  },
  internal: { means: 'Landfall itself failed.', todo: 'Run it again; the log of the server says more.' },
} as const satisfies Record<string, Reason>;

const nodeReasons = {
  chosen: { means: 'This node was chosen.', todo: 'Nothing.' },
  node_silent: { means: 'The node does not report.', todo: 'See that the node and its agent are up.' },
  node_cordoned: { means: 'The node takes no new work.', todo: 'Run landfall node uncordon when it should.' },
  node_removed: { means: 'The node was removed.', todo: 'Nothing.' },
  node_cannot_build: { means: 'The node has no BuildKit.', todo: 'Start BuildKit there, or build elsewhere.' },
  node_proxy: { means: 'A proxy runs no containers while there are workers.', todo: 'Nothing.' },
  node_disk_low: { means: 'The node has too little disk left.', todo: 'Free some space there.' },
  node_cpu_small: {
    means: 'A replica asks for more CPU than the whole node has to give.',
    todo: 'Ask for less under resources.cpu, or add a larger node.',
  },
  node_memory_small: {
    means: 'A replica asks for more memory than the whole node has to give.',
    todo: 'Ask for less under resources.memory, or add a larger node.',
  },
  node_pids_small: {
    means: 'A replica asks for more processes than a node has to give.',
    todo: 'Ask for less under resources.pids.',
  },
  node_cpu_full: { means: 'The CPU of the node is promised to others.', todo: 'Add a node or ask for less.' },
  node_memory_full: { means: 'The memory of the node is promised to others.', todo: 'Add a node or ask for less.' },
  node_pids_full: { means: 'The processes of the node are promised to others.', todo: 'Add a node or ask for less.' },
  node_addresses_full: { means: 'Every address of the node is taken.', todo: 'Add a node.' },
  node_unreported: { means: 'The node has not yet said what it has.', todo: 'Wait for its first report.' },
  node_builds_full: { means: 'The node makes as many builds as it can at once.', todo: 'Nothing; one ends.' },
  node_builds_paused: {
    means: 'The node is short of memory or disk for a build.',
    todo: 'Nothing if it passes; else free some there.',
  },
  node_offers_lapsed: {
    means: 'The node did not take the last build that it was offered, and is passed over for a while.',
    todo: 'See the log of its agent.',
  },
  builders_busy: {
    means: 'Every node that could build it is busy.',
    todo: 'Nothing; builds are made in the order of their age. Add a node that builds to wait less.',
  },
  no_build_node: {
    means: 'No node can build just now.',
    todo: 'Add a node, start its agent with BuildKit, or uncordon it; a check that failed can be run again.',
  },
  no_capacity: { means: 'No node has room for it.', todo: 'Add a node, or ask for less CPU or memory.' },
} as const satisfies Record<string, Reason>;

const rolloutReasons = {
  secret_set: { means: 'A secret of the service has another value.', todo: 'Nothing.' },
  waiting_for_older: { means: 'An older rollout of the service is not done yet.', todo: 'Nothing.' },
  placed: { means: 'Every replica has a node.', todo: 'Nothing.' },
  waiting_for_pull: { means: 'Nodes are pulling the image.', todo: 'Nothing.' },
  pulled: { means: 'Every node has the image.', todo: 'Nothing.' },
  waiting_for_health: { means: 'Replicas are not healthy yet.', todo: 'Nothing.' },
  all_healthy: { means: 'Every replica is healthy.', todo: 'Nothing.' },
  updating_dns: { means: 'The replicas may take traffic; DNS is updated.', todo: 'Nothing.' },
  waiting_for_dns: { means: 'Nodes have not confirmed their DNS records yet.', todo: 'Nothing.' },
  dns_updated: { means: 'Every live node has the DNS records.', todo: 'Nothing.' },
  waiting_for_routes: { means: 'Proxies have not confirmed their routes yet.', todo: 'Nothing.' },
  routes_updated: { means: 'Every live proxy has the routes.', todo: 'Nothing.' },
  waiting_for_old: { means: 'Replicas of the previous release are stopping.', todo: 'Nothing.' },
  old_stopped: { means: 'The release serves alone.', todo: 'Nothing.' },
  old_not_stopped: {
    means: 'The release serves, and a replica of the previous one would not stop in time.',
    todo: 'See that container on its node.',
  },
  nodes_silent: { means: 'Nodes of this rollout do not report.', todo: 'See that they and their agents are up.' },
  nodes_back: { means: 'The nodes of this rollout report again.', todo: 'Nothing.' },
  deadline_passed: {
    means: 'The replicas were not healthy by the deadline.',
    todo: 'See what they log; raise deadline if they need longer.',
  },
  crash_loop: { means: 'The container exits again and again.', todo: 'Read its last lines and fix what ends it.' },
  dns_not_updated: { means: 'A live node did not confirm its DNS records.', todo: 'See the agent on that node.' },
  routes_not_updated: { means: 'A live proxy did not confirm its routes.', todo: 'See the agent on that proxy.' },
  allocation_lost: {
    means: 'A replica was lost with its node while it was rolled out; it is placed again.',
    todo: 'Nothing.',
  },
  release_unreadable: {
    means: 'The release cannot be understood.',
    todo: 'Push again; a release that another Landfall made may need that one.',
  },
  master_key_missing: {
    means: 'Secrets are encrypted under a master key that the server does not have.',
    todo: 'Start the server with that master key, or set the secrets again, and run the check again.',
  },
  secret_damaged: {
    means: 'Secrets do not open: in the database they were changed, or moved from their place.',
    todo: 'Set them again, and run the check again.',
  },
  address_foreign: {
    means: 'The address of a replica is none of its node.',
    todo: 'Run the check again: replicas get other addresses.',
  },
  address_taken: {
    means: 'The address of a replica is taken by another one.',
    todo: 'Run the check again: replicas get other addresses.',
  },
  replicas_lost: { means: 'Replicas of the release that serves were lost; they are placed again.', todo: 'Nothing.' },
} as const satisfies Record<string, Reason>;

/** What an agent says of one container (core/contract/status.ts). */
const containerReasons = {
  exited: { means: 'The container exited.', todo: 'Read its last lines and fix what ends it.' },
  health_failed: {
    means: 'The container does not pass its health check.',
    todo: 'See that it listens on its port on all addresses, and that the path answers 2xx or 3xx.',
  },
  pull_failed: { means: 'The image could not be pulled.', todo: 'See that the registry runs and has the image.' },
  image_missing: {
    means: 'The image is not in its registry any more.',
    todo: 'Run the check again at GitHub, or push: the commit is built anew.',
  },
  create_failed: { means: 'The container could not be created.', todo: 'Read what the container engine says.' },
  start_failed: { means: 'The container could not be started.', todo: 'See that its command exists in the image.' },
  secrets_unreadable: {
    means: 'The node could not open the secrets sealed to it.',
    todo: 'Register the agent of that node again.',
  },
} as const satisfies Record<string, Reason>;

export const reasons = {
  ...pushReasons,
  ...deliveryReasons,
  ...githubReasons,
  ...intentReasons,
  ...buildReasons,
  ...nodeReasons,
  ...rolloutReasons,
  ...containerReasons,
} as const;

export type ReasonCode = keyof typeof reasons;

export function isReasonCode(code: string): code is ReasonCode {
  return Object.hasOwn(reasons, code);
}
