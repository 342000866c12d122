-- Goes in front of every script.

local MAGIC = '\252\229'

-- Microseconds and versions are numbers of at most 53 bits, which Lua keeps exactly.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

-- The string that a command returns; nothing if there is none, or the key holds something else.
local function text(...)
  local reply = redis.pcall(...)
  return type(reply) == 'string' and reply or nil
end

-- A version as text, without an exponent.
local function format(version)
  return string.format('%.0f', version)
end

-- A version that was kept as text; nothing if it is none.
local function parse(digits)
  if digits and string.find(digits, '^%d+$') then
    local version = tonumber(digits)
    return version < 9e15 and version or nil
  end
end

-- The last id that a log has given, also if its entries are gone; 0 if there is no log.
local function last_id(log)
  local info = redis.pcall('XINFO', 'STREAM', log)
  for field = 1, #info, 2 do
    if info[field] == 'last-generated-id' then
      return tonumber(string.match(info[field + 1], '^%d+'))
    end
  end
  return 0
end
