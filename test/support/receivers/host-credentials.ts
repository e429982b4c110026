// What a host that runs in this process finds when it asks for AWS credentials of its own: a key from the environment, and nothing in
// the files or from the instance of this machine.

export const HOST_KEY = 'AKIAHOSTPROCESS00000';

Object.assign(process.env, {
  AWS_ACCESS_KEY_ID: HOST_KEY,
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
});
