// Variables that act when a process starts: a slot that is already running cannot take them up.

/** A program to start a managed runtime through: it gets the runtime's own command line as its arguments. */
export const EXEC_WRAPPER = 'AWS_LAMBDA_EXEC_WRAPPER';

/** By runtime family; a name that ends in `*` stands for all that begin so. */
const START_VARIABLES = {
  nodejs: [
    'NODE_OPTIONS',
    'NODE_EXTRA_CA_CERTS',
    'NODE_ICU_DATA',
    'NODE_DEBUG*',
    'NODE_V8_COVERAGE',
    'NODE_COMPILE_CACHE',
    'NODE_USE_ENV_PROXY',
    'NODE_USE_SYSTEM_CA',
    'OPENSSL_CONF',
    'SSL_CERT_*',
    'UV_*',
    'LD_*',
    'MALLOC_*',
  ],
  // PYTHONPATH is not among them: the bootstrap puts what it names on the search path.
  python: [
    'PYTHONASYNCIODEBUG',
    'PYTHONBREAKPOINT',
    'PYTHONCOERCECLOCALE',
    'PYTHONDEBUG',
    'PYTHONDEVMODE',
    'PYTHONDONTWRITEBYTECODE',
    'PYTHONFAULTHANDLER',
    'PYTHONHASHSEED',
    'PYTHONINTMAXSTRDIGITS',
    'PYTHONIOENCODING',
    'PYTHONMALLOC*',
    'PYTHONNODEBUGRANGES',
    'PYTHONOPTIMIZE',
    'PYTHONPERFSUPPORT',
    'PYTHONPROFILEIMPORTTIME',
    'PYTHONSAFEPATH',
    'PYTHONTRACEMALLOC',
    'PYTHONUNBUFFERED',
    'PYTHONUTF8',
    'PYTHONVERBOSE',
    'PYTHONWARNINGS',
    'PYTHONWARNDEFAULTENCODING',
    'PYTHON_*',
    'OPENSSL_CONF',
    'LC_*',
    'LD_*',
    'MALLOC_*',
  ],
} as const satisfies Record<string, readonly string[]>;

/** Whether some of a function's own variables must be there when its program starts. */
export function startsLate(runtime: string, variables: Readonly<Record<string, string>>): boolean {
  const family = /^[a-z]+/.exec(runtime)?.[0] ?? '';
  if (!Object.hasOwn(START_VARIABLES, family)) return false;
  const patterns = [EXEC_WRAPPER, ...START_VARIABLES[family as keyof typeof START_VARIABLES]]; // hasOwn has checked it
  return Object.keys(variables).some((name) => patterns.some((each) => matches(each, name)));
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
