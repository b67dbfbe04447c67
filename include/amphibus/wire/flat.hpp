#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <amphibus/base/error.hpp>
#include <amphibus/wire/buffer_pool.hpp>
#include <amphibus/wire/flatbuffers.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

template <class T>
struct owned_bytes;  // amphibus/owned_bytes.hpp

namespace wire {

/// A table without fields, whose accessors all answer their defaults: the shortest bytes that are any table.
alignas(8) inline constexpr std::array<std::uint8_t, 12> empty_table{8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0};

/// How the bytes of a table have to lie in memory; more than 8 only where its schema says `force_align`.
template <class Table>
inline constexpr std::size_t table_alignment = [] {
  if constexpr (requires { table_traits<Table>::alignment; }) {
    return std::size_t{table_traits<Table>::alignment};
  } else {
    return std::size_t{8};
  }
}();

template <class Table>
[[nodiscard]] bool lies_aligned(std::span<const std::byte> bytes) noexcept {
  return reinterpret_cast<std::uintptr_t>(bytes.data()) % table_alignment<Table> == 0;
}

/// Bytes with a reference to what they lie in.
struct owned_span {
  buffer_reference owner;
  std::span<const std::byte> bytes;
};

/// One FlatBufferBuilder whose finished buffers are given away without a copy, and come back when nobody reads them any
/// more. Its next buffer is as large as the messages of late, so that the builder need not grow it.
///
/// Thread: confined; what it gave away may be dropped anywhere, also after its end. Allocates: never, once as many
/// messages as ever before were alive at once.
class flat_workshop final : private flatbuffers::Allocator {
 public:
  flat_workshop() = default;
  flat_workshop(const flat_workshop&) = delete;
  flat_workshop& operator=(const flat_workshop&) = delete;

  [[nodiscard]] flatbuffers::FlatBufferBuilder& builder() noexcept { return builder_; }
  /// Gives away what was finished.
  [[nodiscard]] owned_span take() {
    const std::size_t size = builder_.GetSize();
    std::size_t reserved = 0;
    std::size_t offset = 0;
    std::uint8_t* const begin = builder_.ReleaseRaw(reserved, offset);
    builder_.Clear();
    adapt(reserved, size);
    return {buffer_reference(&pooled_buffer::of(begin)), {reinterpret_cast<const std::byte*>(begin) + offset, size}};
  }
  [[nodiscard]] owned_span copy(std::span<const std::byte> bytes) {
    pooled_buffer& to = pool_->take(bytes.size());
    if (!bytes.empty()) std::memcpy(to.data(), bytes.data(), bytes.size());
    return {buffer_reference(&to), {to.data(), bytes.size()}};
  }
  /// Throws away what is half built.
  void clear() noexcept { builder_.Reset(); }

 private:
  static constexpr int small_in_a_row_max = 64;

  std::uint8_t* allocate(std::size_t size) override {
    return reinterpret_cast<std::uint8_t*>(pool_->take(size).data());
  }
  void deallocate(std::uint8_t* begin, std::size_t) override { pooled_buffer::of(begin).drop_reference(); }

  [[nodiscard]] flatbuffers::FlatBufferBuilder builder_of(std::size_t size) {
    return flatbuffers::FlatBufferBuilder(size, this, false, FLATBUFFERS_MAX_ALIGNMENT);
  }
  void adapt(std::size_t reserved, std::size_t used) {
    small_in_a_row_ = used <= expected_ / 4 ? small_in_a_row_ + 1 : 0;
    const bool shrink = small_in_a_row_ == small_in_a_row_max && expected_ > buffer_pool::capacity_for(1);
    if (reserved <= expected_ && !shrink) return;
    expected_ = buffer_pool::capacity_for(shrink ? expected_ / 2 - sizeof(pooled_buffer) : reserved);
    small_in_a_row_ = 0;
    builder_ = builder_of(expected_);
  }

  buffer_pool::owner pool_ = buffer_pool::make();
  std::size_t expected_ = buffer_pool::capacity_for(1);
  int small_in_a_row_ = 0;
  flatbuffers::FlatBufferBuilder builder_ = builder_of(expected_);
};

/// The workshop of this thread, for as long as it lives; one more where that is in use, as by build() inside build().
class workshop_lease {
 public:
  workshop_lease() : mine_(shelf::over ? nullptr : std::move(shelf::of_thread().free)) {
    if (!mine_) mine_ = std::make_unique<flat_workshop>();
  }
  ~workshop_lease() {
    mine_->clear();
    if (!shelf::over) shelf::of_thread().free = std::move(mine_);
  }
  workshop_lease(const workshop_lease&) = delete;
  workshop_lease& operator=(const workshop_lease&) = delete;
  flat_workshop* operator->() const noexcept { return mine_.get(); }

 private:
  struct shelf {
    ~shelf() { over = true; }
    static shelf& of_thread() {
      static thread_local shelf own;
      return own;
    }
    // Other thread-locals and statics may build a message when this one is gone.
    static inline constinit thread_local bool over = false;
    std::unique_ptr<flat_workshop> free;
  };

  std::unique_ptr<flat_workshop> mine_;
};

/// Why `bytes` are no `table`; AMB-E0108.
[[nodiscard]] inline error no_such_table(std::string_view table, std::size_t size, bool nested_too_deep) {
  const std::string why = nested_too_deep
                              ? "tables are nested deeper than " + std::to_string(flatbuffers_depth_max)
                              : "an offset leaves the bytes, a required field is missing, or more than " +
                                    std::to_string(size / 4 + 16) + " tables are reached (one per 4 bytes and 16)";
  return {
      error_code::bad_bytes, std::to_string(size) + " bytes are no " + std::string(table) + ": " + why,
      "give it the bytes that flat<T>::bytes() or a finished FlatBufferBuilder of this table showed, without a size "
      "prefix"};
}

}  // namespace wire

/// A FlatBuffers table as a message that is never unpacked: immutable, verified, and owner of its bytes.
///
/// ```cpp
/// auto order = amphibus::flat<Order>::build([](flatbuffers::FlatBufferBuilder& b) {
///   return CreateOrder(b, 7, 1999);
/// });
/// std::printf("%d p in %zu bytes\n", order->pence(), order.bytes().size());
/// bus.publish(flat_orders, order);   // of type amphibus::topic<amphibus::flat<Order>>
/// ```
/// In the process all subscribers read the buffer that the builder wrote; from another process they read the frame that
/// the transport received, where it is. A copy of a flat is one more reference to the same bytes: keeping one keeps its
/// bytes, and for one that came from another process the whole frame that it came in, with all messages of its batch.
/// `Table` is what amphibus_add_schemas() generates; use its object-API sibling (OrderT) where handlers want an
/// ordinary struct. The two have one type name and one format, so a process may publish what another subscribes as the
/// other; in one process they are two types and need two topics. One that was default-constructed or moved from is a
/// table without fields.
///
/// Thread: const-safe; may be destroyed on any thread. Lifetime: of its bytes, its own; may outlive bus and transport.
template <class Table>
class flat {
 public:
  using table_type = Table;

  flat() noexcept = default;
  flat(const flat&) noexcept = default;
  flat(flat&& other) noexcept : owner_(std::move(other.owner_)), bytes_(std::exchange(other.bytes_, no_fields())) {}
  flat& operator=(flat other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~flat() = default;

  /// Builds a message in a buffer of this thread. `fill` gets the builder and returns the offset of the root; finishing
  /// is done for it. Buffers are recycled: no copy and, in the steady state, no allocation per message.
  /// Throws: what `fill` throws; std::bad_alloc.
  template <std::invocable<flatbuffers::FlatBufferBuilder&> Fill>
  [[nodiscard]] static flat build(Fill&& fill) {
    static_assert(
        std::is_same_v<std::invoke_result_t<Fill, flatbuffers::FlatBufferBuilder&>, flatbuffers::Offset<Table>>,
        "flat<Table>::build: the function returns the flatbuffers::Offset<Table> of the root, as CreateTable() "
        "or TableBuilder::Finish() answer it");
    const wire::workshop_lease own;
    flatbuffers::FlatBufferBuilder& builder = own->builder();
    builder.Finish(std::forward<Fill>(fill)(builder));
    return flat(own->take());
  }
  /// Verifies bytes from wherever and copies them. Returns: the message, or AMB-E0108 with the reason.
  [[nodiscard]] static result<flat> from_bytes(std::span<const std::byte> bytes) {
    flat copy(wire::workshop_lease()->copy(bytes));
    if (wire::verify_table<Table>(copy.bytes_)) return copy;
    return wire::no_such_table(wire::table_traits<Table>::type_name, bytes.size(),
                               wire::verify_table<Table>(copy.bytes_, 2 * wire::flatbuffers_depth_max));
  }

  [[nodiscard]] const Table& table() const noexcept { return *flatbuffers::GetRoot<Table>(bytes_.data()); }
  [[nodiscard]] const Table& operator*() const noexcept { return table(); }
  [[nodiscard]] const Table* operator->() const noexcept { return &table(); }
  /// The finished FlatBuffer, as it travels. Lifetime: of this flat and its copies.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// For the library only: refers to what lies in `owner`; with null, and where the bytes do not lie aligned, it copies
  /// them.
  [[nodiscard]] static bool read(std::span<const std::byte> bytes, wire::shared_buffer* owner, flat& into) {
    const bool in_place = owner != nullptr && wire::lies_aligned<Table>(bytes);
    flat out(in_place ? wire::owned_span{wire::buffer_reference(*owner), bytes} : wire::workshop_lease()->copy(bytes));
    return wire::verify_table<Table>(out.bytes_) && (into = std::move(out), true);
  }

 private:
  explicit flat(wire::owned_span from) noexcept : owner_(std::move(from.owner)), bytes_(from.bytes) {}
  [[nodiscard]] static std::span<const std::byte> no_fields() noexcept {
    return std::as_bytes(std::span(wire::empty_table));
  }

  wire::buffer_reference owner_;
  std::span<const std::byte> bytes_ = no_fields();
};

/// What counts for the bounds in bytes: the bytes of the message, not the frame or buffer that it lies in.
template <class Table>
struct owned_bytes<flat<Table>> {
  static std::size_t of(const flat<Table>& message) noexcept { return message.bytes().size(); }
};

namespace wire {

template <class Table>
inline constexpr bool has_table_traits = requires {
  table_traits<Table>::type_name;
};

/// The codec of flat<Table>: what travels is what was built.
template <class Table>
struct flat_codec {
  static_assert(
      has_table_traits<Table>,
      "nothing is known of this table: include the header NAME_amphibus.h that amphibus_add_schemas() generates "
      "from its schema, not the NAME_generated.h of flatc alone");
  using traits = table_traits<Table>;
  static constexpr std::string_view type_name = traits::type_name;
  static constexpr std::uint16_t major = traits::major;
  static constexpr std::uint64_t schema_hash = traits::schema_hash;
  static constexpr std::string_view binary_schema = traits::binary_schema;

  static bool encode(const flat<Table>& from, byte_writer& out) { return out.append(from.bytes()), true; }
  static bool decode(std::span<const std::byte> bytes, flat<Table>& into) {
    return flat<Table>::read(bytes, nullptr, into);
  }
  static bool decode(std::span<const std::byte> bytes, shared_buffer& owner, flat<Table>& into) {
    return flat<Table>::read(bytes, &owner, into);
  }
};

}  // namespace wire

template <class Table>
struct codec<flat<Table>> : wire::flat_codec<Table> {};

}  // namespace amphibus
#pragma GCC visibility pop
