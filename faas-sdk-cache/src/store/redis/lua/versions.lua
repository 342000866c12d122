-- KEYS[1] is the shard's counter, KEYS[2] its log.

-- Issues so many versions and returns the first. A counter that was lost starts from the log, which
-- takes no entry that is not above its last one.
local function issue(count)
  local last = parse(text('GET', KEYS[1])) or last_id(KEYS[2])
  local first = math.max(now, last + 1)
  redis.call('SET', KEYS[1], format(first + count - 1))
  return first
end
