# One static binary: operator and gateway. Other base images: --build-arg BUILD_IMAGE=… --build-arg RUN_IMAGE=…
# A release pins both by digest (name:tag@sha256:…; make base-images prints those of now), and is then the same whenever it is built.
ARG BUILD_IMAGE=golang:1.26
ARG RUN_IMAGE=gcr.io/distroless/static:nonroot

FROM --platform=${BUILDPLATFORM} ${BUILD_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ARG TARGETOS=linux
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /vipcloud ./cmd/vipcloud

FROM ${RUN_IMAGE}
ARG VERSION=dev
LABEL org.opencontainers.image.title="vipcloud" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /vipcloud /vipcloud
# By number, so that runAsNonRoot can be checked.
USER 65532:65532
ENTRYPOINT ["/vipcloud"]
