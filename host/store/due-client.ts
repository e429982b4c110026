// Work that waits, as the host sees it: one unit of work in the database thread for each method.
import type { DatabaseThread } from './database-thread.ts';
import {
  checkCount,
  checkDistinct,
  checkText,
  claimedOf,
  itemOf,
  listedOf,
  rowOf,
  settlementRowOf,
} from './due-items.ts';
import type { Due, DueItem } from './store.ts';

export function createDue(thread: DatabaseThread): Due {
  return {
    async accept(items) {
      await thread.call('due.accept', items.map(rowOf), items.map(payloadOf));
    },

    async claim(wants, nowMs, maxBytes) {
      for (const { kind, lane, count } of wants) {
        checkText(kind, lane);
        checkCount('count', count);
      }
      const claimed = await thread.call('due.claim', { wants, nowMs, maxBytes });
      return claimed.map(claimedOf);
    },

    async settle(settlements) {
      const payloads = settlements.flatMap(({ followedBy }) => followedBy.map(payloadOf));
      return await thread.call('due.settle', settlements.map(settlementRowOf), payloads);
    },

    nextDue: (lanes) => thread.call('due.next', lanes),

    lanes: (kind) => thread.call('due.lanes', { kind }),

    async list(kind, lane, afterId, limit) {
      checkCount('limit', limit);
      return (await thread.call('due.list', { kind, lane, afterId, limit })).map(listedOf);
    },

    async get(kind, id) {
      const row = await thread.call('due.get', { kind, id });
      return row === undefined ? undefined : itemOf(row);
    },

    async replace(items, replacements) {
      checkDistinct(items);
      const rows = replacements.map(rowOf);
      return await thread.call(
        'due.replace',
        { items, replacements: rows },
        replacements.map(payloadOf),
      );
    },

    async purge(kind, lane, limit) {
      checkCount('limit', limit);
      return await thread.call('due.purge', { kind, lane, limit });
    },
  };
}

function payloadOf({ payload }: DueItem): Uint8Array {
  return payload;
}
