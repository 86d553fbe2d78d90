package controllers

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	// indexKeySecret finds ApiKeys by the name of the Secret that holds their key.
	indexKeySecret = "keySecret"
	// indexKeyGateway finds ApiKeys by the instance that accepts them, as namespace/name.
	indexKeyGateway = "status.gateway"
	// indexReplicaInstance finds GatewayReplicas by the name of their instance.
	indexReplicaInstance = "spec.instance"
	// indexInstanceTLS finds GatewayInstances by the name of the Secret that holds their certificate.
	indexInstanceTLS = "spec.tls.secretName"
)

// addIndexes registers every index of the package.
func addIndexes(indexer client.FieldIndexer) error {
	for _, index := range []struct {
		obj   client.Object
		field string
		value client.IndexerFunc
	}{
		{&v1alpha1.ApiKey{}, indexKeySecret, indexedKeySecret},
		{&v1alpha1.ApiKey{}, indexKeyGateway, indexedKeyGateway},
		{&v1alpha1.GatewayReplica{}, indexReplicaInstance, indexedReplicaInstance},
		{&v1alpha1.GatewayInstance{}, indexInstanceTLS, indexedInstanceTLS},
	} {
		//nolint:forbidigo // the context is not used: the cache that it could wait for has not started
		if err := indexer.IndexField(context.Background(), index.obj, index.field, index.value); err != nil {
			return fmt.Errorf("adding index %s: %w", index.field, err)
		}
	}
	return nil
}

// indexedKeySecret is the value of indexKeySecret.
func indexedKeySecret(obj client.Object) []string {
	if name := keySecretName(obj.(*v1alpha1.ApiKey)); name != "" {
		return []string{name}
	}
	return nil
}

// indexedKeyGateway is the value of indexKeyGateway.
func indexedKeyGateway(obj client.Object) []string {
	if ref := obj.(*v1alpha1.ApiKey).Status.Gateway; ref != nil {
		return []string{string(ref.Namespace) + "/" + string(ref.Name)}
	}
	return nil
}

// indexedReplicaInstance is the value of indexReplicaInstance.
func indexedReplicaInstance(obj client.Object) []string {
	return []string{string(obj.(*v1alpha1.GatewayReplica).Spec.Instance)}
}

// indexedInstanceTLS is the value of indexInstanceTLS.
func indexedInstanceTLS(obj client.Object) []string {
	if t := obj.(*v1alpha1.GatewayInstance).Spec.TLS; t != nil {
		return []string{string(t.SecretName)}
	}
	return nil
}

// keySecretName is the Secret that holds the key, empty with source Hashes.
func keySecretName(ak *v1alpha1.ApiKey) string {
	source := ak.Spec.Source
	switch {
	case source == nil:
		return ak.Name
	case source.Type == v1alpha1.ApiKeySourceHashes:
		return ""
	case source.Type == v1alpha1.ApiKeySourceSecretRef && source.SecretRef != nil:
		return string(source.SecretRef.Name)
	case source.Generated != nil && source.Generated.SecretName != "":
		return string(source.Generated.SecretName)
	}
	return ak.Name
}
