-- Tells what a replica does with an owner, and asks for leave for more, all in one step.
-- KEYS: the marker, the rows of the owner, and of its space if there is one. ARGV: the question.
local q = cjson.decode(ARGV[1])
local asks = q.asks or {}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local marker = redis.call('HMGET', KEYS[1], 'epoch', 'settled')
if marker[1] ~= q.epoch then
  return cjson.encode({state = 'epoch'})
end
if #asks > 0 and marker[2] ~= '1' then
  return cjson.encode({state = 'unsettled'})
end

-- Money has up to 19 digits, of which a number of Lua keeps 15: amounts are pairs of thousand millions and rest.
local BASE = 1000000000
local function amount(text)
  local n = #text
  if n <= 9 then
    return {0, tonumber(text)}
  end
  return {tonumber(string.sub(text, 1, n - 9)), tonumber(string.sub(text, n - 8))}
end
local function plus(a, b)
  local high, low = a[1] + b[1], a[2] + b[2]
  if low >= BASE then
    high, low = high + 1, low - BASE
  end
  return {high, low}
end
local function less(a, b)
  return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2])
end
local function minus(a, b) -- not below zero
  if less(a, b) then
    return {0, 0}
  end
  local high, low = a[1] - b[1], a[2] - b[2]
  if low < 0 then
    high, low = high - 1, low + BASE
  end
  return {high, low}
end
local LARGEST = {9223372036, 854775807}
local function text(a)
  if less(LARGEST, a) then
    a = LARGEST
  end
  if a[1] == 0 then
    return string.format('%.0f', a[2])
  end
  return string.format('%.0f%09.0f', a[1], a[2])
end

-- What the other replicas are doing. Those that have not been heard of for the length of a lease are doing nothing any more.
local silences = {}
local function silence(replica)
  if silences[replica] == nil then
    local heard = redis.call('HGET', KEYS[1], 'heard:' .. replica)
    silences[replica] = heard and now - tonumber(heard) or q.lease + 1
  end
  return silences[replica]
end
local function read(key)
  local flat = redis.call('HGETALL', key)
  local others, mine = {}, nil
  for i = 1, #flat, 2 do
    if flat[i] == q.replica then
      mine = cjson.decode(flat[i + 1])
    elseif silence(flat[i]) <= q.lease then
      local other = cjson.decode(flat[i + 1])
      other.silence = silence(flat[i])
      others[#others + 1] = other
    else
      redis.call('HDEL', key, flat[i])
    end
  end
  return others, mine
end

-- A row that is older than what was acknowledged means that something was lost: everybody tells everything anew.
local function check(mine, acknowledged)
  local number = mine and mine.number or 0
  if number < acknowledged then
    redis.call('HSET', KEYS[1], 'epoch', q.fresh, 'since', now)
    redis.call('HDEL', KEYS[1], 'settled')
    return 'epoch'
  elseif number > q.number then
    return 'late'
  end
end
local others, mine = read(KEYS[2])
local wrong = check(mine, q.acknowledged)
local space_others = {}
if not wrong and KEYS[3] then
  space_others, mine = read(KEYS[3])
  wrong = check(mine, q.space_acknowledged)
end
if wrong then
  return cjson.encode({state = wrong})
end

local row, space = q.row, q.space_row

-- The rates of all replicas: of this minute, and of the one before.
local function rate(name)
  local current, previous = row[name][1], row[name][2]
  for _, o in ipairs(others) do
    if o.minute >= row.minute then
      current, previous = current + o[name][1], previous + o[name][2]
    elseif o.minute == row.minute - 1 then
      previous = previous + o[name][1]
    end
  end
  return {current, previous}
end
local requests, tokens = rate('requests'), rate('tokens')
local function used(r)
  return r[1] + math.ceil(r[2] * q.left / 60000)
end

local running = row.running
for _, o in ipairs(others) do
  running = running + o.running
end

-- What is spent of budgets: what all reports said, and what each replica owns up to beyond its page. One that has no page here has
-- not written any yet, or has ended and is in the archive: a replica that lives is heard of more often than that.
local function spent(lines, all)
  local sums = {}
  for i, line in ipairs(lines) do
    local sum = amount(line.read)
    for _, r in ipairs(all) do
      local own, page = r.own[line.id], line.pages[r.report]
      if own and (page or (r.silence or 0) <= q.silence) then
        sum = plus(sum, minus(amount(own), amount(page or '0')))
      end
    end
    sums[i] = {id = line.id, amount = amount(line.amount), spent = sum}
  end
  return sums
end
local function reserved(all)
  local sum = {0, 0}
  for _, r in ipairs(all) do
    sum = plus(sum, amount(r.reserved))
  end
  return sum
end
local function with(all, one)
  local list = {one}
  for _, o in ipairs(all) do
    list[#list + 1] = o
  end
  return list
end
local all = with(others, row)
local budgets, held = spent(q.budgets or {}, all), reserved(all)
local space_budgets, space_held = {}, {0, 0}
if KEYS[3] then
  local everybody = with(space_others, space)
  space_budgets, space_held = spent(q.space_budgets or {}, everybody), reserved(everybody)
end
local function exceeded(lines, holds, cost)
  for i, line in ipairs(lines) do
    if less(line.amount, plus(plus(line.spent, holds), cost)) then
      return i
    end
  end
end

local function decide(ask)
  local cost = amount(ask.cost)
  if q.requests_per_minute >= 0 and used(requests) + 1 > q.requests_per_minute then
    return {reason = 'requests_per_minute'}
  elseif q.tokens_per_minute >= 0 and used(tokens) + ask.tokens > q.tokens_per_minute then
    return {reason = 'tokens_per_minute'}
  elseif q.concurrent >= 0 and running >= q.concurrent then
    return {reason = 'concurrency'}
  end
  local i = exceeded(budgets, held, cost)
  if i then
    return {reason = 'budget_exceeded', budget = i - 1, spent = text(budgets[i].spent)}
  end
  i = exceeded(space_budgets, space_held, cost)
  if i then
    return {reason = 'budget_exceeded', budget = i - 1, space = true, spent = text(space_budgets[i].spent)}
  end
  row.requests[1], requests[1] = row.requests[1] + 1, requests[1] + 1
  row.tokens[1], tokens[1] = row.tokens[1] + ask.tokens, tokens[1] + ask.tokens
  row.running, running = row.running + 1, running + 1
  held = plus(held, cost)
  row.reserved = text(plus(amount(row.reserved), cost))
  if KEYS[3] and #space_budgets > 0 then
    space_held = plus(space_held, cost)
    space.reserved = text(plus(amount(space.reserved), cost))
  end
  return {}
end

local verdicts = nil
for i, ask in ipairs(asks) do
  verdicts = verdicts or {}
  local verdict = decide(ask)
  verdict.requests, verdict.tokens = {requests[1], requests[2]}, {tokens[1], tokens[2]}
  verdicts[i] = verdict
end

-- Rows outlive the lease, and nothing outlives its rows for long.
local function write(key, r)
  r.number = q.number
  redis.call('HSET', key, q.replica, cjson.encode(r))
  redis.call('PEXPIRE', key, q.keep)
end
if q.forget then
  redis.call('HDEL', KEYS[2], q.replica)
else
  write(KEYS[2], row)
end
if KEYS[3] then
  write(KEYS[3], space)
end
return cjson.encode({state = 'ok', verdicts = verdicts})
