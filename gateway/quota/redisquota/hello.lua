-- Says that a replica lives, and finds out whether everything that it ever told is still there.
-- KEYS: the marker. ARGV: the greeting.
local q = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local epoch = redis.call('HGET', KEYS[1], 'epoch')
local since = tonumber(redis.call('HGET', KEYS[1], 'since') or '0')
local greetings = tonumber(redis.call('HGET', KEYS[1], 'greetings:' .. q.replica) or '0')
if not epoch or greetings < q.acknowledged or q.lost then
  -- Something was lost: everybody tells everything anew.
  epoch, since = q.fresh, now
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'since', since)
  redis.call('HDEL', KEYS[1], 'settled')
end
redis.call('HSET', KEYS[1], 'heard:' .. q.replica, now, 'greetings:' .. q.replica, q.greeting)
if q.told == epoch then
  redis.call('HSET', KEYS[1], 'told:' .. q.replica, epoch)
end

-- Settled is when all replicas have told. Who has not been heard of by the end of patience must be gone; who has is waited for.
local flat = redis.call('HGETALL', KEYS[1])
local told, heard = 0, 0
for i = 1, #flat, 2 do
  local name, value = flat[i], flat[i + 1]
  if string.sub(name, 1, 5) == 'told:' and value == epoch then
    told = told + 1
  elseif string.sub(name, 1, 6) == 'heard:' then
    if now - tonumber(value) > q.lease then
      local gone = string.sub(name, 7)
      redis.call('HDEL', KEYS[1], name, 'greetings:' .. gone, 'told:' .. gone)
    elseif tonumber(value) >= since then
      heard = heard + 1
    end
  end
end
local age = now - since
if told >= math.max(q.replicas, heard) or (age >= q.patience and told >= heard) or age >= q.longest then
  redis.call('HSET', KEYS[1], 'settled', '1')
end
return cjson.encode({epoch = epoch, settled = redis.call('HGET', KEYS[1], 'settled') == '1'})
