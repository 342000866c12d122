-- Sees to it that there is a base, and that the log has a position.
-- KEYS: the hash, the log.

local generation, base = next_generation()
local is_empty = redis.call('XLEN', KEYS[2]) == 0
if is_empty or not base then
  -- A full server lets a script go on that has begun with something else than new memory.
  redis.call('PERSIST', KEYS[1])
  local id = format(generation)
  redis.call('HSET', KEYS[1], 'last', id, 'base', base and format(base) or id)
  if is_empty then
    redis.call('XADD', KEYS[2], id .. '-0', 'o', '')
  end
end
return 1
