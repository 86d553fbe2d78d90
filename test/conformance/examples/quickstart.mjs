import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "https://api.vipcloud.ai/v1",
  apiKey:  "vc-sk-...",
});

const resp = await client.chat.completions.create({
  model: "deepseek-v4-pro",
  messages: [{ role: "user", content: "Hello!" }],
});
console.log(resp.choices[0].message.content);
