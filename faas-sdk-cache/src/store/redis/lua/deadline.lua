-- ARGV[1] is the time after which the call is void, or nothing: it was held up on its way, and the
-- caller has given up. A script with a deadline answers the time first, and nothing more if it is late.
if ARGV[1] ~= '' and now > tonumber(ARGV[1]) then
  return { now }
end
