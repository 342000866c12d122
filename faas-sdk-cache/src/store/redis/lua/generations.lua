-- KEYS[1] is the hash of generations, KEYS[2] their log. In the hash, `base` is the generation of names
-- that have none of their own, `last` the last one issued; names have `=` in front.

local function next_generation()
  local last = parse(text('HGET', KEYS[1], 'last')) or last_id(KEYS[2])
  local base = parse(text('HGET', KEYS[1], 'base'))
  return math.max(now, last + 1, (base or 0) + 1), base
end
