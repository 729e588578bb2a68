// An addon as most are written: classes and errors through node-addon-api, with C++ exceptions.
#undef NAPI_VERSION
#define NAPI_VERSION 8
#define NAPI_CPP_EXCEPTIONS
#include <napi.h>

#include <map>
#include <string>

namespace {

class Store : public Napi::ObjectWrap<Store> {
public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Store",
                       {
                           InstanceMethod("set", &Store::Set),
                           InstanceMethod("get", &Store::Get),
                           InstanceMethod("forEach", &Store::ForEach),
                           InstanceMethod("merge", &Store::Merge),
                           InstanceAccessor("size", &Store::Size, nullptr),
                           InstanceAccessor("name", &Store::Name, &Store::Rename),
                           StaticMethod("from", &Store::From),
                           StaticValue("kind", Napi::String::New(env, "store")),
                           InstanceMethod(Napi::Symbol::WellKnown(env, "toPrimitive"), &Store::ToPrimitive),
                       });
  }

  explicit Store(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Store>(info) {
    if (info.Length() > 0 && !info[0].IsString()) throw Napi::TypeError::New(info.Env(), "A name expected");
    if (info.Length() > 0) name_ = info[0].As<Napi::String>();
  }

private:
  Napi::Value Set(const Napi::CallbackInfo &info) {
    values_[info[0].As<Napi::String>()] = info[1].ToNumber().DoubleValue();
    return info.This();
  }

  Napi::Value Get(const Napi::CallbackInfo &info) {
    auto found = values_.find(info[0].As<Napi::String>());
    if (found == values_.end()) throw Napi::RangeError::New(info.Env(), "No such key");
    return Napi::Number::New(info.Env(), found->second);
  }

  Napi::Value ForEach(const Napi::CallbackInfo &info) {
    auto function = info[0].As<Napi::Function>();
    for (const auto &[key, value] : values_) {
      Napi::HandleScope scope(info.Env());
      function.Call(info.This(), {Napi::String::New(info.Env(), key), Napi::Number::New(info.Env(), value)});
    }
    return info.Env().Undefined();
  }

  Napi::Value Merge(const Napi::CallbackInfo &info) {
    Store *other = Store::Unwrap(info[0].As<Napi::Object>());
    for (const auto &[key, value] : other->values_) values_[key] = value;
    return info.This();
  }

  Napi::Value Size(const Napi::CallbackInfo &info) {
    return Napi::Number::New(info.Env(), static_cast<double>(values_.size()));
  }

  Napi::Value Name(const Napi::CallbackInfo &info) {
    return Napi::String::New(info.Env(), name_);
  }

  void Rename(const Napi::CallbackInfo &info, const Napi::Value &value) {
    name_ = value.ToString();
  }

  Napi::Value ToPrimitive(const Napi::CallbackInfo &info) {
    return Napi::String::New(info.Env(), "Store(" + name_ + ")");
  }

  static Napi::Value From(const Napi::CallbackInfo &info) {
    auto object = info[0].As<Napi::Object>();
    Napi::Object store = info.This().As<Napi::Function>().New({Napi::String::New(info.Env(), "from")});
    Napi::Array names = object.GetPropertyNames();
    for (uint32_t i = 0; i < names.Length(); i++) {
      std::string name = names.Get(i).As<Napi::String>();
      store.Get("set").As<Napi::Function>().Call(store, {names.Get(i), object.Get(name)});
    }
    return store;
  }

  std::string name_;
  std::map<std::string, double> values_;
};

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Store", Store::Define(env));
  return exports;
}

} // namespace

NODE_API_MODULE(cpp_wrap, Init)
