-- Ready=True of the present generation is Healthy. What is Stalled needs a human: Degraded. What is Reconciling comes right by
-- itself: Progressing. Ready=False alone means that a part cannot be used while the rest serves: Degraded too.
local health = {status = "Progressing", message = "Waiting for the operator to look at it"}

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
elseif found["Reconciling"] == nil or found["Reconciling"].status ~= "True" then
  health.status = "Degraded"
end
return health
