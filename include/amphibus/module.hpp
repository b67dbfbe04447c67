#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <amphibus/bus.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

class app;

/// One bounded context of a program: its subscriptions, its state and its feeding threads.
///
/// ```cpp
/// void start(amphibus::module& m) {
///   auto& books = m.make<ledger>();                                               // ends after the subscriptions
///   m.subscribe(orders, [&](const order_placed& o) { books.pence += o.pence; });  // all on the module's own thread
/// }
/// ```
/// Its serial handlers never overlap. Which process runs the module is the file's business.
/// Thread: confined to the main thread, where start functions run one after the other; name, bus, publisher, receiver,
/// done, stop and fail from any. Lifetime: the app's run().
class module {
 public:
  module(const module&) = delete;
  module& operator=(const module&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] amphibus::bus& bus() noexcept { return bus_; }

  /// Makes state, T(arguments…), that ends after the module's subscriptions, in reverse order of making. In the start
  /// function only. Throws: what T's constructor throws; out of the start function it ends the process.
  template <class T, class... Arguments>
  T& make(Arguments&&... arguments) {
    auto owned = std::make_shared<T>(std::forward<Arguments>(arguments)...);
    T& made = *owned;
    state_.push_back(std::move(owned));
    return made;
  }

  /// Subscribes until the module ends. In the start function only. As bus::subscribe; the serial executor is the
  /// module's own thread, the default name the module's.
  template <class T, handler_of<T> Callable>
  void subscribe(const topic<T>& to, const subscription_options& options, Callable handler) {
    subscriptions_.push_back(bus_.subscribe(to, own(options), std::move(handler)));
  }
  template <class T, handler_of<T> Callable>
  void subscribe(const topic<T>& to, Callable handler) {
    subscribe(to, subscription_options{}, std::move(handler));
  }
  template <class T, handler_of<T> Callable>
  void subscribe(const pattern<T>& to, const subscription_options& options, Callable handler) {
    subscriptions_.push_back(bus_.subscribe(to, own(options), std::move(handler)));
  }
  template <class T, handler_of<T> Callable>
  void subscribe(const pattern<T>& to, Callable handler) {
    subscribe(to, subscription_options{}, std::move(handler));
  }
  /// As bus::publisher. It is the caller's, not the module's.
  template <class T>
  [[nodiscard]] amphibus::publisher<T> publisher(const topic<T>& to, const publisher_options& options = {}) {
    return bus_.publisher(to, options);
  }
  /// As bus::receiver; include <amphibus/receiver.hpp>. It is the caller's, not the module's.
  template <class T>
  [[nodiscard]] amphibus::receiver<T> receiver(const topic<T>& to, const subscription_options& options = {}) {
    return bus_.receiver(to, named(options));
  }

  /// Called once on the main thread when every process of the file is there and subscribed: nothing is lost to late
  /// joining after that. Before any run() thread of this process starts. An exception ends the process.
  /// In the start function only.
  void on_ready(std::function<void()> call) { on_ready_.push_back(std::move(call)); }
  /// A feeding thread, started after on_ready, where it may be asked for at the latest; it returns soon after the token
  /// asks. An exception ends the process.
  void run(std::function<void(std::stop_token)> feed) { feeds_.push_back(std::move(feed)); }

  /// This module has nothing more to do: when every module of the process has said so, the process ends as by stop().
  /// Handlers, a feeding thread, anybody may say it; saying it again changes nothing.
  void done();
  /// Asks this process to end: close with its deadline, then app::run() returns 0.
  void stop();
  /// Asks this process to end as a failure that says `why`: app::run() returns 1.
  void fail(const std::string& why);

 private:
  friend class app;
  module(std::string name, amphibus::bus& bus, app& owner);
  /// With the module's name where no other is chosen.
  [[nodiscard]] subscription_options named(subscription_options options) const {
    if (options.name.empty()) options.name = name_;
    return options;
  }
  /// With the module's name and thread where nothing else is chosen.
  [[nodiscard]] subscription_options own(subscription_options options) const {
    options = named(options);
    if (options.on.which() == executor_choice::kind::serial) options.on = executor_;
    return options;
  }

  const std::string name_;
  amphibus::bus& bus_;
  app& app_;
  std::shared_ptr<detail::executor_core> executor_;
  std::vector<std::shared_ptr<void>> state_;
  std::vector<std::function<void()>> on_ready_;
  std::vector<std::function<void(std::stop_token)>> feeds_;
  std::vector<subscription> subscriptions_;
  std::atomic<bool> done_{false};
};

}  // namespace amphibus
#pragma GCC visibility pop
