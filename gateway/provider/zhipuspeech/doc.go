// Package zhipuspeech is the speech adapter of Zhipu: GLM-TTS. Its address reads like OpenAI's, and its answers are not: a stream is
// of chunks like those of a chat, whose content is audio, and the only formats are pcm and wav. Zhipu's text models are served by
// package openaicompat.
//
// The package decides how a public request becomes Zhipu's, what GLM-TTS takes of it and what its answers mean: failures go by the code
// inside, since 429 may mean that there is no money. It performs no I/O, reads no clock and keeps no state.
//
// Speech begins with an audible watermark, a beep, which the vendor adds unless watermark_enabled is false; that works only for
// accounts that have completed its procedure, so the adapter sends nothing about it: an administrator of such an account sets
// watermark_enabled with an override of the target.
//
// Sources: docs.bigmodel.cn: api-reference/模型-api/文本转语音, cn/guide/models/sound-and-video, cn/faq/api-code;
// docs.z.ai/api-reference/api-code; and the types of github.com/zai-org/z-ai-sdk-python.
package zhipuspeech
