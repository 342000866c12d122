-- Gives an empty log an entry, so that it has a position.
-- KEYS: the counter, the log.

if redis.call('XLEN', KEYS[2]) == 0 then
  -- A full server lets a script go on that has begun with something else than new memory.
  redis.call('PERSIST', KEYS[1])
  redis.call('XADD', KEYS[2], format(issue(1)) .. '-0', 'o', '')
end
return 1
