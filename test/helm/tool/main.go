// Judge reads rendered Kubernetes objects on stdin and says what an API server would object to:
// unknown and duplicate fields (strict decoding into Kubernetes' own types) and pods outside the
// Pod Security level "restricted".
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	complaints, err := judge(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, complaint := range complaints {
		fmt.Println(complaint)
	}
	if len(complaints) > 0 {
		os.Exit(1)
	}
}

func judge(objects io.Reader) ([]string, error) {
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	restricted, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	var complaints []string
	documents := yaml.NewYAMLReader(bufio.NewReader(objects))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return complaints, nil
		}
		if err != nil {
			return nil, err
		}
		object, kind, err := decoder.Decode(document, nil, nil)
		if err != nil {
			complaints = append(complaints, err.Error())
			continue
		}
		for _, complaint := range podComplaints(restricted, object) {
			complaints = append(complaints, fmt.Sprintf("%s: %s", kind.Kind, complaint))
		}
	}
}

func podComplaints(restricted policy.Evaluator, object runtime.Object) []string {
	var pod corev1.PodTemplateSpec
	switch it := object.(type) {
	case *appsv1.Deployment:
		pod = it.Spec.Template
	case *corev1.Pod:
		pod = corev1.PodTemplateSpec{ObjectMeta: it.ObjectMeta, Spec: it.Spec}
	default:
		return nil
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	var complaints []string
	for _, result := range restricted.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			complaints = append(complaints, result.ForbiddenReason+": "+result.ForbiddenDetail)
		}
	}
	return complaints
}
