-- KEYS: the counter, the log, for each write the value and the lease.
-- ARGV: the deadline, the log's length, how long the prefix of values' keys is, and for each write the
-- version that must not be exceeded or nothing, the physical time to live, the envelope.
-- The time, and for each write: its version, or 0 if a later one is there.

local function is_later(value, limit)
  local bytes = limit ~= '' and head(value, 12)
  return bytes and struct.unpack('<I8', bytes, 5) > tonumber(limit)
end

local count = #KEYS / 2 - 1
local late, accepted = {}, 0
for write = 1, count do
  late[write] = is_later(KEYS[2 * write + 1], ARGV[3 * write + 1])
  accepted = accepted + (late[write] and 0 or 1)
end

-- The first command that writes is one that a full server refuses.
local version = accepted > 0 and issue(accepted)
local versions = { now }
for write = 1, count do
  local value, lease = KEYS[2 * write + 1], KEYS[2 * write + 2]
  local physical, envelope = ARGV[3 * write + 2], ARGV[3 * write + 3]
  if late[write] then
    versions[write + 1] = version_of_copy(value, envelope) or 0
  else
    store(value, envelope, physical, version)
    redis.call('DEL', lease)
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], format(version) .. '-0',
      'r', string.sub(value, ARGV[3] + 1))
    versions[write + 1] = version
    version = version + 1
  end
end
return versions
