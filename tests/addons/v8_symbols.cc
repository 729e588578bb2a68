// Uses V8 itself, as addons for nan do. Node loads it; there is no V8 in another process.
#undef NAPI_VERSION
#define NAPI_VERSION 8
#include <node_api.h>

namespace v8 {
class Isolate {
public:
  static Isolate *GetCurrent();
  bool IsExecutionTerminating();
};
} // namespace v8

NAPI_MODULE_INIT() {
  napi_value terminating;
  if (napi_get_boolean(env, v8::Isolate::GetCurrent()->IsExecutionTerminating(), &terminating) == napi_ok)
    napi_set_named_property(env, exports, "terminating", terminating);
  return exports;
}
