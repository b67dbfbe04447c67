#include <amphibus/testing/test_bus.hpp>

#include <amphibus/base/assert.hpp>

namespace amphibus::testing {

made_context::made_context(detail::bus_core& core, detail::topic_core& about, const context_options& options)
    : topic_(&about), with_(core, topic_, identity_) {
  const message_id own{{core.incarnation(), core.new_source_index()}, 1};
  wire::envelope made = wire::first_envelope(own);
  if (options.correlation) made.correlation = options.correlation;
  made.causation = options.causation;
  made.lost_before = options.lost_before;
  wire::byte_writer bytes;
  if (!options.key.empty() || !options.headers.empty()) {
    const bool fits = wire::attributes_view::append(options.key, options.headers, bytes);
    AMPHIBUS_ASSERT(fits, "key or headers are over the limits of publish_options");
    made.attributes = wire::attributes_view(bytes.bytes());
  }
  made.time_left = options.time_left;
  identity_ = envelopes_.make(made, core.deadline_of(made));
}

made_context::~made_context() { identity_.drop_reference(); }

void test_bus::record::add(const any_message& message) {
  const std::lock_guard lock(mutex);
  all.push_back(message.keep());
}

void test_bus::record::clear() noexcept {
  const std::lock_guard lock(mutex);
  for (const detail::any_slot& each : all) each.drop();
  all.clear();
}

test_bus::test_bus()
    : bus_({.name = "test", .clock = &clock_, .on = loop_}),
      record_(std::make_unique<record>()),
      tap_(bus_.subscribe(pattern<any_message>{">"}, {.name = "record", .on = inline_},
                          [to = record_.get()](const any_message& each) { to->add(each); })) {}

test_bus::~test_bus() {
  tap_.end();
  record_->clear();
  bus_.close(base::duration::zero());
}

}  // namespace amphibus::testing
