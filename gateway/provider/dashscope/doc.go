// Package dashscope is the media adapter of Alibaba Cloud Model Studio (DashScope): images and videos of Wan.
//
// Everything is made by tasks, images too, although the newer image models can also be called to answer at once. An image takes
// one to two minutes: an answer that is waited for on one connection that long is lost with the connection, and what it
// would have told was made and is billed. A task answers its submission at once, and with its id nothing is lost: any later poll
// finds the result, for a day. The older image models know no other way. The price is the pause between polls.
//
// The number of images is always said, since the vendor's default is four and each is billed, and so are watermark, the length of
// a video and its resolution. An admin's override of parameters replaces the whole of that object, the number of images with it.
//
// What a model is known to refuse, or to leave out silently, is refused before anything is sent, with the values that the model
// takes. A model is known by its id; of ids that say nothing the vendor is the judge, and they get the newest form of a request. The
// package performs no I/O, reads no clock and keeps no state.
//
// Sources: help.aliyun.com/zh/model-studio "wan-image-generation-and-editing-api-reference" and "developer-reference/error-code";
// alibabacloud.com/help/en/model-studio "text-to-image-v2-api-reference", "manage-asynchronous-tasks",
// "text-to-video-api-reference", "legacy-wan-text-to-video-api-reference" and "wan3-video-generation-api-reference".
package dashscope
