-- KEYS: for each request the value and the lease.
-- ARGV: the deadline, and for each request the token, the time to live, and the version rejected as
-- it is stored.
-- The time, and for each request: the value, or 0 if it was granted, or for how long another one holds
-- the lease.

local function fresh(key, rejected)
  local bytes = text('GETRANGE', key, 0, 27)
  if not bytes or #bytes < 28 or string.sub(bytes, 1, 2) ~= MAGIC or string.byte(bytes, 4) ~= 0
    or string.sub(bytes, 5, 12) == rejected
  then
    return nil
  end
  local created, ttl = struct.unpack('<I8I8', bytes, 13)
  return now < created + ttl * 1000 and text('GET', key)
end

local answers = { now }
for request = 1, #KEYS / 2 do
  local value, lease = KEYS[2 * request - 1], KEYS[2 * request]
  local token, ttl, rejected = ARGV[3 * request - 1], ARGV[3 * request], ARGV[3 * request + 1]
  local answer = fresh(value, rejected)
  if not answer then
    local owner = text('GET', lease)
    -- What has no end is no lease.
    answer = owner and owner ~= token and math.max(redis.call('PTTL', lease), 0) or 0
    if answer == 0 then
      redis.call('SET', lease, token, 'PX', ttl)
    end
  end
  answers[request + 1] = answer
end
return answers
