-- KEYS: the counter, the log, for each key the value and the lease.
-- ARGV: the log's length, how long the prefix of values' keys is, and how: `r` removes, `x` expires.
-- The version of the last change.

-- Deleting comes first: it is allowed on a full server, and so is then the rest of the script.
if ARGV[3] == 'r' then
  -- In pieces, because the stack is limited.
  for first = 3, #KEYS, 1000 do
    redis.call('UNLINK', unpack(KEYS, first, math.min(first + 999, #KEYS)))
  end
else
  for value = 3, #KEYS, 2 do
    redis.call('DEL', KEYS[value + 1])
    if head(KEYS[value], 20) then
      redis.call('SETRANGE', KEYS[value], 3, '\1')
    end
  end
end

local version = issue(#KEYS / 2 - 1) - 1
for value = 3, #KEYS, 2 do
  version = version + 1
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], format(version) .. '-0',
    ARGV[3], string.sub(KEYS[value], ARGV[2] + 1))
end
return version
