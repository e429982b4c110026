// The system call filter, as classic BPF bytes for bwrap's --seccomp: a deny list that answers EPERM. x86-64 and arm64.

/** What the filter needs to know of an architecture: its audit number, and numbers of clone, clone3 and the denied calls. */
interface CallTable {
  readonly audit: number;
  readonly clone: number;
  readonly clone3: number;
  /** x86-64 alone has a second numbering (x32) behind this bit. */
  readonly foreignBit?: number | undefined;
  readonly denied: readonly number[];
}

/** Numbers that every architecture shares (added to Linux after the tables were unified). */
const sharedDenied = [
  425,
  426,
  427, // io_uring_setup, io_uring_enter, io_uring_register
  428,
  429,
  430,
  431,
  432,
  433, // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick
  442,
  467, // mount_setattr, open_tree_attr
  438, // pidfd_getfd
] as const;

const x64: CallTable = {
  audit: 0xc000003e,
  clone: 56,
  clone3: 435,
  foreignBit: 0x40000000,
  denied: [
    101,
    310,
    311, // ptrace, process_vm_readv, process_vm_writev
    272,
    308, // unshare, setns
    165,
    166,
    155, // mount, umount2, pivot_root
    246,
    320,
    169, // kexec_load, kexec_file_load, reboot
    321,
    298,
    323, // bpf, perf_event_open, userfaultfd
    248,
    249,
    250, // add_key, request_key, keyctl
    175,
    176,
    313, // init_module, delete_module, finit_module
    167,
    168, // swapon, swapoff
    ...sharedDenied,
  ],
};

const arm64: CallTable = {
  audit: 0xc00000b7,
  clone: 220,
  clone3: 435,
  denied: [
    117,
    270,
    271, // ptrace, process_vm_readv, process_vm_writev
    97,
    268, // unshare, setns
    40,
    39,
    41, // mount, umount2, pivot_root
    104,
    294,
    142, // kexec_load, kexec_file_load, reboot
    280,
    241,
    282, // bpf, perf_event_open, userfaultfd
    217,
    218,
    219, // add_key, request_key, keyctl
    105,
    106,
    273, // init_module, delete_module, finit_module
    224,
    225, // swapon, swapoff
    ...sharedDenied,
  ],
};

const tables = new Map<NodeJS.Architecture, CallTable>([
  ['x64', x64],
  ['arm64', arm64],
]);

/** CLONE_NEW{CGROUP,UTS,IPC,USER,PID,NET,NS}: what a forbidden clone(2) asks for in its flags. */
const newNamespaceFlags = 0x7e020000;
const load = 0x20; // BPF_LD | BPF_W | BPF_ABS
const jumpEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const jumpAtLeast = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const jumpAnyBit = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const answer = 0x06; // BPF_RET | BPF_K
const killProcess = 0x80000000;
const allow = 0x7fff0000;
const refuse = 0x00050001; // SECCOMP_RET_ERRNO | EPERM
const notThere = 0x00050026; // SECCOMP_RET_ERRNO | ENOSYS: glibc then falls back from clone3 to clone
const offsetOfNumber = 0;
const offsetOfArchitecture = 4;
const offsetOfFirstArgument = 16; // low half; both architectures are little-endian

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

/** The filter for `architecture`, or undefined where we have no table for it. */
export function seccompFilter(architecture: NodeJS.Architecture): Buffer | undefined {
  const table = tables.get(architecture);
  return table === undefined ? undefined : assemble(instructions(table));
}

function instructions(table: CallTable): readonly Instruction[] {
  const { denied } = table;
  return [
    [load, 0, 0, offsetOfArchitecture],
    [jumpEqual, 1, 0, table.audit],
    [answer, 0, 0, killProcess],
    [load, 0, 0, offsetOfNumber],
    ...foreignNumbers(table),
    [jumpEqual, 0, 1, table.clone3],
    [answer, 0, 0, notThere],
    [jumpEqual, 0, 3, table.clone],
    [load, 0, 0, offsetOfFirstArgument],
    [jumpAnyBit, denied.length + 2, 0, newNamespaceFlags],
    [answer, 0, 0, allow],
    ...denied.map((call, at): Instruction => [jumpEqual, denied.length - at, 0, call]),
    [answer, 0, 0, allow],
    [answer, 0, 0, refuse],
  ];
}

function foreignNumbers(table: CallTable): readonly Instruction[] {
  if (table.foreignBit === undefined) return [];
  return [
    [jumpAtLeast, 0, 1, table.foreignBit],
    [answer, 0, 0, refuse],
  ];
}

/** struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. */
function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [at, [code, ifTrue, ifFalse, operand]] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(ifTrue, at * 8 + 2);
    bytes.writeUInt8(ifFalse, at * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, at * 8 + 4);
  }
  return bytes;
}
