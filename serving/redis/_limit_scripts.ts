/** The scripts by which Redis counts: what `serving/limits` does in memory, one round trip each, and nobody in between. */
import { FINE_SPANS, LIMIT_WINDOW, SPAN } from "../limits/mod.ts";

// All in microseconds, as Redis tells the time. A hash holds the sums (r, t), when they will have run out (ru, tu), which
// spans there are (f, l: the first and the last), and each span under its number. A reservation names its span, and the
// generation (g) of the hash: one that was dropped and made anew counts from 1 again.
const LOAD = `
local key = KEYS[1]
local window = ${LIMIT_WINDOW * 1000}
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local generation, first, last, requests, tokens, requestsUntil, tokensUntil, newest

local function text(number) return string.format('%.17g', number) end

local function read(number)
  local value = redis.call('HGET', key, number)
  if not value then return nil end
  local from, to, r, t = string.match(value, '^(.+) (.+) (.+) (.+)$')
  return { from = tonumber(from), to = tonumber(to), r = tonumber(r), t = tonumber(t) }
end

local function write(number, span)
  redis.call('HSET', key, number, text(span.from) .. ' ' .. text(span.to) .. ' ' .. text(span.r) .. ' ' .. text(span.t))
end

local function load()
  local head = redis.call('HMGET', key, 'g', 'f', 'l', 'r', 't', 'ru', 'tu')
  generation = head[1]
  first, last = tonumber(head[2] or 1), tonumber(head[3] or 0)
  requests, tokens = tonumber(head[4] or 0), tonumber(head[5] or 0)
  requestsUntil, tokensUntil = tonumber(head[6] or 0), tonumber(head[7] or 0)
  newest = read(last)
  -- The clock stepped back: by little, and what was granted must not count shorter; by much, and nothing is known.
  if newest and newest.to > now then
    if newest.to - now <= window then now = newest.to else redis.call('DEL', key) generation = nil end
  end
  if not generation then
    generation, first, last, requests, tokens, requestsUntil, tokensUntil = text(now), 1, 0, 0, 0, 0, 0
    newest = nil
  end
  while first <= last do
    local span = read(first)
    if span.to + window > now then break end
    requests, tokens = requests - span.r, tokens - span.t
    redis.call('HDEL', key, first)
    first = first + 1
  end
  if first > last then newest = nil end
end

local function save()
  if first > last then redis.call('DEL', key) return end
  redis.call('HSET', key, 'g', generation, 'f', first, 'l', last, 'r', text(requests), 't', text(tokens),
    'ru', text(requestsUntil), 'tu', text(tokensUntil))
  redis.call('PEXPIRE', key, ${LIMIT_WINDOW + 1000})
end

local function add(r, t)
  requests, tokens = requests + r, tokens + t
  if newest and (newest.to == now or (last - first + 1 >= ${FINE_SPANS} and now - newest.from < ${SPAN * 1000})) then
    newest = { from = newest.from, to = now, r = newest.r + r, t = newest.t + t }
  else
    last = last + 1
    newest = { from = now, to = now, r = r, t = t }
  end
  write(last, newest)
  if r > 0 then requestsUntil = now + window end
  if t > 0 then tokensUntil = now + window end
end
`;

/** Reserves: requests, tokens, and the limits of both (empty: none). */
export const RESERVE: string = `${LOAD}
local r, t, requestLimit, tokenLimit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local function fits(usedRequests, usedTokens)
  return (not requestLimit or usedRequests + r <= requestLimit) and (not tokenLimit or usedTokens + t <= tokenLimit)
end
load()
local granted = fits(requests, tokens)
local wait = 0
if granted then
  add(r, t)
else
  local leftRequests, leftTokens = requests, tokens
  for number = first, last do
    local span = read(number)
    leftRequests, leftTokens = leftRequests - span.r, leftTokens - span.t
    if fits(leftRequests, leftTokens) then wait = span.to + window - now break end
  end
end
save()
local function resetIn(used, untilTime) return used > 0 and math.max(0, untilTime - now) or 0 end
return { granted and '1' or '0', text(requests), text(tokens), text(resetIn(requests, requestsUntil)),
  text(resetIn(tokens, tokensUntil)), text(wait), generation, text(last) }
`;

/** Changes what was reserved: generation, span, requests and tokens to give back, tokens that were used beyond it. */
export const CHANGE: string = `${LOAD}
local r, t, excess = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
load()
if r > 0 or t > 0 then
  local span = generation == ARGV[1] and read(ARGV[2])
  if span then
    span.r, span.t = span.r - r, span.t - t
    requests, tokens = requests - r, tokens - t
    write(ARGV[2], span)
    if tonumber(ARGV[2]) == last then newest = span end
  end
end
if excess > 0 then add(0, excess) end
save()
return '1'
`;
