-- The first `length` bytes of the envelope under a key; nothing if there is none.
local function head(key, length)
  local bytes = text('GETRANGE', key, 0, length - 1)
  if bytes and #bytes == length and string.sub(bytes, 1, 2) == MAGIC then
    return bytes
  end
end

-- Stores an envelope with its version and time of creation. Each string that is made here costs a
-- nanosecond a byte, so the stored one is patched.
local function store(key, envelope, physical, version)
  redis.call('SET', key, envelope, 'PX', physical)
  if #envelope >= 20 and string.sub(envelope, 1, 2) == MAGIC then
    redis.call('SETRANGE', key, 4, struct.pack('<I8I8', version, now))
  end
end

-- The version of what is under a key if it is live and the same as the envelope, but for what the
-- server writes: a call that is repeated finds what it has stored before.
local function version_of_copy(key, envelope)
  local bytes = head(key, 20)
  if bytes and string.byte(bytes, 4) == 0 and redis.call('STRLEN', key) == #envelope
    and text('GETRANGE', key, 20, -1) == string.sub(envelope, 21)
  then
    return (struct.unpack('<I8', bytes, 5))
  end
end
