// V8's heap limits for a given MemorySize. They are fixed when the process starts, so slots are keyed by memory.

/** What Node needs beside the old generation: code, stacks, young generation, buffers of the bootstrap. In MiB. */
const outsideHeapMib = 45;

/**
 * The flags for a Node slot of `memoryMib` MiB, chosen so that a heap leak ends in V8's own message and exit 134 before
 * MemorySize is reached. Measured safe shares: 65 % at 128 MiB, 80 % from 256 MiB on; never above MemorySize - 45.
 */
export function v8Flags(memoryMib: number): readonly string[] {
  const share = memoryMib < 256 ? 0.65 : 0.8;
  const oldSpaceMib = Math.max(
    32,
    Math.floor(Math.min(memoryMib * share, memoryMib - outsideHeapMib)),
  );
  const semiSpaceMib = Math.max(1, Math.floor(memoryMib * 0.025));
  return [`--max-old-space-size=${oldSpaceMib}`, `--max-semi-space-size=${semiSpaceMib}`];
}
