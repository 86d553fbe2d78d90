// Package tencent is the media adapter of Tencent Cloud's API 3.0: images of HunyuanImage 3 (product aiart, version 2022-12-29) and
// videos of HunyuanVideo 1.5 (product vclm, version 2024-05-23). Both are made by jobs, of which an account has one at a time unless
// it has bought more.
//
// The action of a call selects the model; the upstream's id of it is not sent. Requests are signed with TC3-HMAC-SHA256. The vendor
// refuses signatures that are more than five minutes old and tells so; such a request is signed anew, once, with the time that the
// refusal's Date header tells, since the calls for several images are signed together and made one after the other. The region is
// ap-guangzhou unless the upstream's headers have an X-TC-Region of their own.
//
// Every refusal has status 200, and a job that has failed is no refusal. The package performs no I/O, reads no clock and keeps no
// state.
//
// Sources: github.com/TencentCloud/tencentcloud-sdk-go aiart/v20221229, vclm/v20240523 and common; cloud.tencent.com
// document/product/1668/124632, 124633, document/api/1616/126160 and 126162, and "Signature v3", "Request Structure" and "Error Codes" of
// the API 3.0 documentation.
package tencent
