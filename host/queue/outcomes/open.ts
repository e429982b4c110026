// The deliverer of one host, from its settings and its folder of secrets.
import type { RoleCredentials } from '../../auth/role-credentials.ts';
import type { HostConfig } from '../../config.ts';
import { OutcomeDeliverer } from './deliverer.ts';
import { openWebhooks } from './webhooks.ts';

export interface OpenDelivererOptions {
  readonly endpoints: HostConfig['awsEndpoints'];
  readonly secretsDir: string;
  readonly roles: RoleCredentials;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Gets one sentence when an edited file cannot be used. */
  readonly onProblem: (problem: string) => void;
}

/** The caller owns it. Throws SecretFileError when `webhooks.json` cannot be used. */
export function openDeliverer(options: OpenDelivererOptions): OutcomeDeliverer {
  const { endpoints, secretsDir, roles, now, onProblem } = options;
  return new OutcomeDeliverer({
    access: { endpoints, credentialsOf: (identity) => roles.providerFor(identity) },
    webhookOf: openWebhooks({ secretsDir, now, onProblem }),
    epochMs: now,
  });
}
