-- KEYS: the hash, the log. ARGV: the log's length, how many names may be kept, the names.
-- The new generation.

local generation, base = next_generation()
local id = format(generation)

-- A full server lets a script go on that has begun with something else than new memory.
redis.call('PERSIST', KEYS[1])
redis.call('HSET', KEYS[1], 'last', id, 'base', base and format(base) or id)
for name = 3, #ARGV do
  redis.call('HSET', KEYS[1], '=' .. ARGV[name], id)
end

-- Too many names: all are forgotten for a new base, which makes everything stale once. Without the
-- log, readers find a gap and forget what they know.
if redis.call('HLEN', KEYS[1]) > ARGV[2] + 2 then
  redis.call('UNLINK', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'last', id, 'base', id)
end

-- In pieces, because the stack is limited.
for first = 3, #ARGV, 1000 do
  local entry = {}
  for name = first, math.min(first + 999, #ARGV) do
    entry[#entry + 1] = 'n'
    entry[#entry + 1] = ARGV[name]
  end
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], id .. '-' .. (first - 3), unpack(entry))
end
return generation
