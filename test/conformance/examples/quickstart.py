from openai import OpenAI

client = OpenAI(
    base_url="https://api.vipcloud.ai/v1",
    api_key="vc-sk-...",
)

resp = client.chat.completions.create(
    model="deepseek-v4-pro",
    messages=[{"role": "user", "content": "Hello!"}],
)
print(resp.choices[0].message.content)
