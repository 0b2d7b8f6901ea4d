/** The scripts by which Redis keeps answers: each all or nothing, so that what is kept stays within its bounds. */

/**
 * The keys that the scripts want, in their order: answers, what lists need of them, their sizes in bytes, the order in
 * which they were kept, when they run out, and the sums. The braces keep them together on one node of a cluster.
 */
export function answerKeys(prefix: string): string[] {
  return ["bodies", "heads", "sizes", "order", "until", "sums"].map((name) => `${prefix}{answers}:${name}`);
}

const COMMON = `
local bodies, heads, sizes, order, expiry, sums = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function forget(id)
  local size = redis.call('HGET', sizes, id)
  if not size then return 0 end
  redis.call('HINCRBY', sums, 'bytes', -size)
  redis.call('HDEL', bodies, id)
  redis.call('HDEL', heads, id)
  redis.call('HDEL', sizes, id)
  redis.call('ZREM', order, id)
  redis.call('ZREM', expiry, id)
  return 1
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', string.format('%.0f', now))) do forget(id) end
`;

/** Gets an answer: id. */
export const GET_ANSWER: string = `${COMMON}
return redis.call('HGET', bodies, ARGV[1])
`;

/** Keeps an answer: id, answer, head, bytes, lifetime in milliseconds, most answers, most bytes. */
export const SET_ANSWER: string = `${COMMON}
local id, size, lifetime, maxEntries, maxBytes = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if size > maxBytes then forget(id) return 0 end
local known = tonumber(redis.call('HGET', sizes, id) or 0)
redis.call('HSET', bodies, id, ARGV[2])
redis.call('HSET', heads, id, ARGV[3])
redis.call('HSET', sizes, id, size)
redis.call('ZADD', order, 'NX', redis.call('HINCRBY', sums, 'number', 1), id)
redis.call('ZADD', expiry, string.format('%.0f', now + lifetime), id)
local bytes = redis.call('HINCRBY', sums, 'bytes', size - known)
while redis.call('ZCARD', order) > maxEntries or bytes > maxBytes do
  forget(redis.call('ZRANGE', order, 0, 0)[1])
  bytes = tonumber(redis.call('HGET', sums, 'bytes'))
end
-- Another process may have set a longer lifetime, for what it keeps.
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < lifetime then redis.call('PEXPIRE', key, string.format('%.0f', lifetime)) end
end
return 1
`;

/** Forgets an answer: id. Gives 1 if there was one. */
export const DELETE_ANSWER: string = `${COMMON}
return forget(ARGV[1])
`;

/** Gives the ids in the order they were kept, and the heads by their ids. */
export const LIST_HEADS: string = `${COMMON}
return { redis.call('ZRANGE', order, 0, -1), redis.call('HGETALL', heads) }
`;
