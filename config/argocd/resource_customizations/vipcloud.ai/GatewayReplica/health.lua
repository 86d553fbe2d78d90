-- A replica takes requests (Healthy) or is on its way up or down (Progressing); nobody needs to act on the object itself.
local health = {status = "Progressing", message = "Waiting for the gateway to report"}

if obj.metadata ~= nil and obj.metadata.deletionTimestamp ~= nil then
  health.message = "Being deleted"
  return health
end
if type(obj.status) ~= "table" or type(obj.status.conditions) ~= "table" then
  return health
end
if obj.metadata == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end

local found = {}
for _, condition in ipairs(obj.status.conditions) do
  if type(condition) == "table" and condition.type ~= nil then
    found[condition.type] = condition
  end
end

local ready = found["Ready"]
if ready == nil then
  return health
end
health.message = ready.message
if ready.status == "True" then
  health.status = "Healthy"
end
return health
