// Package tokenhub is the media adapter of Tencent's TokenHub: images of HunyuanImage 3 (hy-image-v3.0) and videos of HunyuanVideo 1.5
// (hy-video-1.5), both made by tasks. The chat of the same vendor is served by package openaicompat.
//
// The vendor describes its media calls by examples, and says that the members of Tencent Cloud's own calls are taken under their names
// in snake case. What a model is known to lack is refused before anything is sent; of what is not described, such as seeds, data URIs
// and resolutions of 1080p, the vendor is the judge. An admin can change the form of what is sent by the parameters of the upstream. The
// package performs no I/O, reads no clock and keeps no state.
//
// Sources: cloud.tencent.com document/product/1823/130080, 130081, 131595, 135716 and 137202; of the sizes document/product/1668/124632.
package tokenhub
