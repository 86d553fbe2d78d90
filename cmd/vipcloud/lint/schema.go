package lint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/config/crd"
)

// schemas are the validators of our kinds.
type schemas map[schema.GroupVersionKind]*validator

// validator checks objects of one kind as an API server does when they are created.
type validator struct {
	structural *structuralschema.Structural
	openAPI    validation.SchemaValidator
	rules      *cel.Validator // nil if the kind has no rules
}

// loadSchemas makes validators of the definitions that this program carries.
func loadSchemas() (schemas, error) {
	names, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("listing definitions: %w", err)
	}
	all := schemas{}
	for _, name := range names {
		raw, err := fs.ReadFile(crd.Bases, name)
		if err != nil {
			return nil, fmt.Errorf("reading definition: %w", err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(raw, &definition); err != nil {
			return nil, fmt.Errorf("reading definition %s: %w", name, err)
		}
		for i := range definition.Spec.Versions {
			version := &definition.Spec.Versions[i]
			v, err := newValidator(version.Schema)
			if err != nil {
				return nil, fmt.Errorf("compiling definition %s: %w", name, err)
			}
			all[schema.GroupVersionKind{Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind}] = v
		}
	}
	return all, nil
}

// newValidator compiles one schema.
func newValidator(v1 *apiextensionsv1.CustomResourceValidation) (*validator, error) {
	if v1 == nil {
		return nil, errors.New("no schema")
	}
	internal := &apiextensions.CustomResourceValidation{}
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(v1, internal, nil); err != nil {
		return nil, fmt.Errorf("converting schema: %w", err)
	}
	structural, err := structuralschema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, fmt.Errorf("reading schema: %w", err)
	}
	openAPI, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, fmt.Errorf("compiling schema: %w", err)
	}
	return &validator{structural: structural, openAPI: openAPI, rules: cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

// fieldError is something an API server refuses.
type fieldError struct{ path, message string }

// check fills in the defaults of an object, in place, and returns what an API server would refuse.
func (v *validator) check(ctx context.Context, object map[string]any) []fieldError {
	found := v.unknown(object)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, v.structural)
	defaulting.Default(object, v.structural)
	errs := validation.ValidateCustomResource(nil, object, v.openAPI)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.structural, object)...)
	if v.rules != nil && !slices.ContainsFunc(errs, blocksRules) {
		broken, _ := v.rules.Validate(ctx, nil, v.structural, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	for _, err := range errs {
		found = append(found, fieldError{path: pathOf(err), message: messageOf(err)})
	}
	return found
}

// unknown returns the fields that the schema does not know: an API server drops them with a warning at best, which in a file
// is a mistake that waits.
func (v *validator) unknown(object map[string]any) []fieldError {
	pruned := runtime.DeepCopyJSON(object)
	var found []fieldError
	paths := pruning.PruneWithOptions(pruned, v.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range paths {
		found = append(found, fieldError{path: path, message: "unknown field"})
	}
	return found
}

// blocksRules says that rules cannot be evaluated on an object with such an error, as an API server has it.
func blocksRules(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	}
	return false
}

// pathOf is the field of an error; empty for the object itself.
func pathOf(err *field.Error) string {
	if err.Field == "<nil>" {
		return ""
	}
	return strings.TrimPrefix(err.Field, "<nil>.")
}

// messageOf is what is wrong, without the value: a secret in the wrong place must not end up in the log of a pipeline.
func messageOf(err *field.Error) string {
	clean := *err
	clean.BadValue = field.OmitValueType{}
	switch err.Type {
	case field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeRequired:
		return clean.ErrorBody()
	case field.ErrorTypeNotSupported:
		return "must be one of the " + err.Detail
	case field.ErrorTypeDuplicate:
		return "appears twice in this list"
	}
	detail := strings.TrimPrefix(err.Detail, err.Field+" in body ")
	if detail == "" {
		return clean.ErrorBody()
	}
	return detail
}
