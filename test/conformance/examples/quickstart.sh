curl https://api.vipcloud.ai/v1/chat/completions \
  -H "Authorization: Bearer vc-sk-..." \
  -H "Content-Type: application/json" \
  -d '{
    "model": "deepseek-v4-pro",
    "messages": [{"role":"user","content":"Hello!"}]
  }'
