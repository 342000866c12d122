-- KEYS: leases. ARGV: for each its token.

for lease = 1, #KEYS do
  if text('GET', KEYS[lease]) == ARGV[lease] then
    redis.call('DEL', KEYS[lease])
  end
end
return 1
