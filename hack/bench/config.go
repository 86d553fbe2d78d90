package main

import (
	"fmt"

	"vipcloud.ai/vipcloud/gateway/apikey"
)

// gatewayManifests are the objects that the gateway serves in the benchmark.
func gatewayManifests(up string) string {
	return fmt.Sprintf(`apiVersion: vipcloud.ai/v1alpha1
kind: GatewayInstance
metadata: {name: default, namespace: vipcloud-system}
---
apiVersion: v1
kind: Secret
metadata: {name: bench, namespace: vipcloud-system}
stringData: {api-key: sk-bench}
---
apiVersion: vipcloud.ai/v1alpha1
kind: ProviderCredential
metadata: {name: bench, namespace: vipcloud-system}
spec:
  provider: OpenAI
  endpoint: http://%s/v1
  allowInsecure: true
  allowPrivate: true
  secretRef: {name: bench}
---
apiVersion: vipcloud.ai/v1alpha1
kind: ModelRoute
metadata: {name: bench, namespace: vipcloud-system}
spec:
  pricing: {currency: USD, inputPerMillionTokens: "0.28", outputPerMillionTokens: "0.42"}
  targets: [{name: a, credential: {name: bench}}, {name: b, credential: {name: bench}}]
---
apiVersion: vipcloud.ai/v1alpha1
kind: ModelRoute
metadata: {name: slow, namespace: vipcloud-system}
spec:
  targets: [{name: a, credential: {name: bench}}]
---
apiVersion: vipcloud.ai/v1alpha1
kind: ApiKey
metadata: {name: bench, namespace: default}
spec:
  source: {type: Hashes, hashes: [{sha256: %s}]}
`, up, apikey.Sum(benchKey))
}

// nginxConfig makes nginx pass streams on at once and keep connections, on as many workers as there are cores.
func nginxConfig(dir, address, up string) string {
	return fmt.Sprintf(`daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
events { worker_connections 8192; }
http {
  access_log %[1]s/nginx-access.log;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  client_max_body_size 64m; client_body_buffer_size 2m; keepalive_requests 1000000; keepalive_timeout 120;
  upstream up { server %[3]s; keepalive 1024; keepalive_requests 1000000; }
  server {
    listen %[2]s;
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 600; }
  }
}
`, dir, address, up)
}
