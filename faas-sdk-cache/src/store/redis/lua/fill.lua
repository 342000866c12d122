-- KEYS: the counter, the log, for each fill the value and the lease.
-- ARGV: for each fill the token, the physical time to live, the envelope.
-- For each fill: its version, or 0 if it was refused.

local count = #KEYS / 2 - 1
local held, granted = {}, 0
for fill = 1, count do
  held[fill] = text('GET', KEYS[2 * fill + 2]) == ARGV[3 * fill - 2]
  granted = granted + (held[fill] and 1 or 0)
end

-- The first command that writes is one that a full server refuses.
local version = granted > 0 and issue(granted)
local versions = {}
for fill = 1, count do
  local value, lease = KEYS[2 * fill + 1], KEYS[2 * fill + 2]
  local physical, envelope = ARGV[3 * fill - 1], ARGV[3 * fill]
  if held[fill] then
    store(value, envelope, physical, version)
    redis.call('DEL', lease)
    versions[fill] = version
    version = version + 1
  else
    versions[fill] = version_of_copy(value, envelope) or 0
  end
end
return versions
