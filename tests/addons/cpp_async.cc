// Background work as most addons do it: workers, progress, threadsafe functions of both kinds, contexts and scopes of
// node-addon-api.
#undef NAPI_VERSION
#define NAPI_VERSION 8
#define NAPI_CPP_EXCEPTIONS
#include <napi.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

// ---- Workers
// ---------------------------------------------------------------------------------------------------------

class Sum : public Napi::AsyncWorker {
public:
  Sum(const Napi::Function &callback, std::vector<double> numbers)
      : AsyncWorker(callback, "Sum"), numbers_(std::move(numbers)) {
  }

  void Execute() override {
    for (double number : numbers_) {
      if (number < 0) {
        SetError("no negative numbers");
        return;
      }
      if (number > 1000) throw std::runtime_error("too large a number");
      sum_ += number;
    }
  }

  std::vector<napi_value> GetResult(Napi::Env env) override {
    return {env.Null(), Napi::Number::New(env, sum_)};
  }

private:
  std::vector<double> numbers_;
  double sum_ = 0;
};

std::vector<double> Numbers(const Napi::Value &value) {
  auto array = value.As<Napi::Array>();
  std::vector<double> numbers;
  for (uint32_t i = 0; i < array.Length(); i++) numbers.push_back(array.Get(i).ToNumber());
  return numbers;
}

// (numbers, callback)
void SumWith(const Napi::CallbackInfo &info) {
  (new Sum(info[1].As<Napi::Function>(), Numbers(info[0])))->Queue();
}

class Promised : public Napi::AsyncWorker {
public:
  Promised(Napi::Env env, std::string text)
      : AsyncWorker(env, "Promised"), deferred_(Napi::Promise::Deferred::New(env)), text_(std::move(text)) {
  }

  Napi::Promise Promise() const {
    return deferred_.Promise();
  }

  void Execute() override {
    if (text_.empty()) throw std::runtime_error("empty");
    text_.append(text_.rbegin(), text_.rend());
  }

  void OnOK() override {
    deferred_.Resolve(Napi::String::New(Env(), text_));
  }

  void OnError(const Napi::Error &error) override {
    deferred_.Reject(error.Value());
  }

private:
  Napi::Promise::Deferred deferred_;
  std::string text_;
};

Napi::Value Mirror(const Napi::CallbackInfo &info) {
  auto *worker = new Promised(info.Env(), info[0].As<Napi::String>());
  auto promise = worker->Promise();
  worker->Queue();
  return promise;
}

// Throws in OnOK: nobody is there to catch.
class Throwing : public Napi::AsyncWorker {
public:
  explicit Throwing(Napi::Env env) : AsyncWorker(env) {
  }
  void Execute() override {
  }
  void OnOK() override {
    throw Napi::Error::New(Env(), "thrown in OnOK");
  }
};

void ThrowInWorker(const Napi::CallbackInfo &info) {
  (new Throwing(info.Env()))->Queue();
}

class Steps : public Napi::AsyncProgressQueueWorker<uint32_t> {
public:
  Steps(const Napi::Function &done, const Napi::Function &step, uint32_t count)
      : AsyncProgressQueueWorker(done), step_(Napi::Persistent(step)), count_(count) {
  }

  void Execute(const ExecutionProgress &progress) override {
    for (uint32_t i = 0; i < count_; i++) progress.Send(&i, 1);
  }

  void OnProgress(const uint32_t *data, size_t count) override {
    if (data) step_.Call({Napi::Number::New(Env(), *data), Napi::Number::New(Env(), static_cast<double>(count))});
  }

private:
  Napi::FunctionReference step_;
  uint32_t count_;
};

// (count, step, done)
void Progress(const Napi::CallbackInfo &info) {
  auto *worker = new Steps(info[2].As<Napi::Function>(), info[1].As<Napi::Function>(), info[0].ToNumber());
  worker->Queue();
}

// ---- Threadsafe functions
// --------------------------------------------------------------------------------------------

struct Running {
  std::thread thread;
  Napi::ThreadSafeFunction function;
};

// (function, count, blocking, done): a thread that calls with 0, 1, ...; `done` when the function is finalized.
void Count(const Napi::CallbackInfo &info) {
  auto running = std::make_shared<Running>();
  auto done = std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[3].As<Napi::Function>()));
  uint32_t count = info[1].ToNumber();
  bool isBlocking = info[2].ToBoolean();
  running->function = Napi::ThreadSafeFunction::New(info.Env(), info[0].As<Napi::Function>(), "Count",
                                                    isBlocking ? 2 : 0, 1, [running, done](Napi::Env) {
                                                      running->thread.join();
                                                      done->Call({});
                                                    });
  running->thread = std::thread([running, count, isBlocking] {
    auto call = [](Napi::Env env, Napi::Function function, uint32_t *value) {
      std::unique_ptr<uint32_t> owned(value);
      function.Call({Napi::Number::New(env, *owned)});
    };
    for (uint32_t i = 0; i < count; i++) {
      if (isBlocking)
        running->function.BlockingCall(new uint32_t(i), call);
      else
        running->function.NonBlockingCall(new uint32_t(i), call);
    }
    running->function.Release();
  });
}

struct Context {
  Napi::FunctionReference done;
  std::thread thread;
  std::string name;
};

void CallTyped(Napi::Env env, Napi::Function function, Context *context, std::string *data) {
  std::unique_ptr<std::string> owned(data);
  if (env != nullptr) function.Call({Napi::String::New(env, context->name), Napi::String::New(env, *owned)});
}

using Typed = Napi::TypedThreadSafeFunction<Context, std::string, CallTyped>;

// (function, texts, done)
void Say(const Napi::CallbackInfo &info) {
  auto *context = new Context{Napi::Persistent(info[2].As<Napi::Function>()), {}, "the context"};
  std::vector<std::string> texts;
  auto array = info[1].As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) texts.push_back(array.Get(i).ToString());
  auto function = Typed::New(
      info.Env(), info[0].As<Napi::Function>(), "Say", 0, 1, context,
      [](Napi::Env, void *, Context *of) {
        of->thread.join();
        of->done.Call({});
        delete of;
      },
      static_cast<void *>(nullptr));
  context->thread = std::thread([function, texts]() mutable {
    for (const auto &text : texts) function.BlockingCall(new std::string(text));
    function.Release();
  });
}

// ---- Contexts and scopes
// ---------------------------------------------------------------------------------------------

// (function, receiver, ...arguments): in a context of its own.
Napi::Value InContext(const Napi::CallbackInfo &info) {
  Napi::AsyncContext context(info.Env(), "cpp context", Napi::Object::New(info.Env()));
  std::vector<napi_value> arguments;
  for (size_t i = 2; i < info.Length(); i++) arguments.push_back(info[i]);
  return info[0].As<Napi::Function>().MakeCallback(info[1], arguments, context);
}

Napi::Value InScope(const Napi::CallbackInfo &info) {
  Napi::AsyncContext context(info.Env(), "cpp scope");
  Napi::CallbackScope scope(info.Env(), context);
  return info[0].As<Napi::Function>().Call({});
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports["sum"] = Napi::Function::New(env, SumWith);
  exports["mirror"] = Napi::Function::New(env, Mirror);
  exports["throwInWorker"] = Napi::Function::New(env, ThrowInWorker);
  exports["progress"] = Napi::Function::New(env, Progress);
  exports["count"] = Napi::Function::New(env, Count);
  exports["say"] = Napi::Function::New(env, Say);
  exports["inContext"] = Napi::Function::New(env, InContext);
  exports["inScope"] = Napi::Function::New(env, InScope);
  return exports;
}

} // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
