// Values and errors through node-addon-api: exceptions of JavaScript become C++ ones and back.
#undef NAPI_VERSION
#define NAPI_VERSION 8
#define NAPI_CPP_EXCEPTIONS
#include <napi.h>

#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

Napi::Value Throw(const Napi::CallbackInfo &info) {
  switch (info[0].As<Napi::Number>().Int32Value()) {
  case 0: throw Napi::Error::New(info.Env(), "an error");
  case 1: throw Napi::TypeError::New(info.Env(), "a type error");
  case 2: {
    Napi::RangeError error = Napi::RangeError::New(info.Env(), "a range error");
    error.Set("extra", Napi::Number::New(info.Env(), 5));
    throw error;
  }
  default: throw Napi::Error(info.Env(), info[1]);
  }
}

// Calls a function; what it throws comes back as text, with the value itself beside it.
Napi::Value Catch(const Napi::CallbackInfo &info) {
  Napi::Object result = Napi::Object::New(info.Env());
  try {
    result["returned"] = info[0].As<Napi::Function>().Call({info[1]});
  } catch (const Napi::Error &error) {
    result["message"] = error.Message();
    result["thrown"] = error.Value();
  }
  return result;
}

// Lets it through, with C++ frames and their destructors between.
Napi::Value Through(const Napi::CallbackInfo &info) {
  std::vector<std::string> unwound(100, "text");
  return info[0].As<Napi::Function>().Call({});
}

Napi::Value Primitives(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  Napi::Array result = Napi::Array::New(env);
  uint32_t n = 0;
  result[n++] = Napi::Number::New(env, 1.5);
  result[n++] = Napi::String::New(env, u"\u00fcber \U0001f600");
  result[n++] = Napi::String::New(env, std::string("with\0nul", 8));
  result[n++] = Napi::Boolean::New(env, true);
  result[n++] = Napi::Symbol::New(env, "symbol");
  result[n++] = Napi::BigInt::New(env, static_cast<uint64_t>(UINT64_MAX));
  result[n++] = Napi::Date::New(env, 86400000);
  result[n++] = env.Null();
  result[n++] = env.Undefined();
  return result;
}

// A walk through an object as option parsers make it.
Napi::Value Describe(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  auto object = info[0].As<Napi::Object>();
  Napi::Object result = Napi::Object::New(env);
  Napi::Array names = object.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    Napi::Value value = object.Get(names.Get(i));
    std::string text = value.IsString()     ? "string"
                       : value.IsNumber()   ? "number"
                       : value.IsBoolean()  ? "boolean"
                       : value.IsFunction() ? "function"
                       : value.IsArray()    ? "array of " + std::to_string(value.As<Napi::Array>().Length())
                       : value.IsBuffer()   ? "buffer of " + std::to_string(value.As<Napi::Buffer<char>>().Length())
                       : value.IsNull()     ? "null"
                                            : "something";
    result.Set(names.Get(i), Napi::String::New(env, text));
  }
  return result;
}

Napi::Value Sum(const Napi::CallbackInfo &info) {
  auto array = info[0].As<Napi::Float64Array>();
  return Napi::Number::New(info.Env(), std::accumulate(array.Data(), array.Data() + array.ElementLength(), 0.0));
}

Napi::Value Reverse(const Napi::CallbackInfo &info) {
  auto input = info[0].As<Napi::Buffer<uint8_t>>();
  auto output = Napi::Buffer<uint8_t>::New(info.Env(), input.Length());
  for (size_t i = 0; i < input.Length(); i++) output[i] = input[input.Length() - 1 - i];
  return output;
}

// A persistent function, called later.
Napi::FunctionReference saved;

Napi::Value Save(const Napi::CallbackInfo &info) {
  saved = Napi::Persistent(info[0].As<Napi::Function>());
  saved.SuppressDestruct();
  return info.Env().Undefined();
}

Napi::Value CallSaved(const Napi::CallbackInfo &info) {
  std::vector<napi_value> arguments;
  for (size_t i = 0; i < info.Length(); i++) arguments.push_back(info[i]);
  return saved.Call(arguments);
}

Napi::Value Promise(const Napi::CallbackInfo &info) {
  auto deferred = Napi::Promise::Deferred::New(info.Env());
  if (info[1].ToBoolean())
    deferred.Reject(info[0]);
  else
    deferred.Resolve(info[0]);
  return deferred.Promise();
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("throw", Napi::Function::New(env, Throw, "throw"));
  exports.Set("catch", Napi::Function::New(env, Catch, "catch"));
  exports.Set("through", Napi::Function::New(env, Through, "through"));
  exports.Set("primitives", Napi::Function::New<Primitives>(env, "primitives"));
  exports.Set("describe", Napi::Function::New<Describe>(env, "describe"));
  exports.Set("sum", Napi::Function::New<Sum>(env, "sum"));
  exports.Set("reverse", Napi::Function::New<Reverse>(env, "reverse"));
  exports.Set("save", Napi::Function::New<Save>(env));
  exports.Set("callSaved", Napi::Function::New<CallSaved>(env));
  exports.Set("promise", Napi::Function::New<Promise>(env));
  return exports;
}

} // namespace

NODE_API_MODULE(cpp_values, Init)
