// SPDX-License-Identifier: MIT
/// @file
/// What a kernel for sm_90a sees of a GPU, on the host, so that the kernels' own sources run where there is no device.
///
/// Every thread of a cluster is a fiber. Which warp goes on, and when an asynchronous copy is carried out, is drawn from a
/// seed: warps may be late by as much as the barriers allow. A run ends with a `failure` where no thread can go on, where a
/// thread missed a phase of a barrier it waits for, where copies or wgmma meet what was written without a fence, where
/// shared memory goes away before copies have read it, and where an address is outside of what it belongs to, or not
/// aligned. What is read too late or written too early shows in the result: copies come at any time between their start and
/// the wait for them, and products at either end.
///
/// Not modelled: time; the order of memory accesses (everything is sequentially consistent); clusters beside each other
/// (they run one after another, in any order); copies that have arrived in part; what a thread that ran ahead of its warp
/// would do between two instructions that are named here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <ucontext.h>
#include <vector_types.h>

namespace sigmax::test::emulation {

struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The address with the 128-byte swizzle of tensor maps and wgmma: bits 4 to 6 are changed by bits 7 to 9.
constexpr std::uint32_t with_swizzle(std::uint32_t address) { return address ^ ((address >> 7 & 7u) << 4); }

/// What a tensor map describes: `count` row-major matrices, and how often each element was written.
struct mapped_matrices {
  unsigned char* data;
  std::uint32_t* written;  ///< one an element of `data`; nullptr: nobody may write
  long long cols, rows, count;
  long long row_bytes, matrix_bytes;
  int element_bytes;
};

struct launch_shape {
  unsigned blocks = 1;
  unsigned batches = 1;  ///< blockIdx.y
  int threads = 32;
  int cluster = 1;
  std::size_t shared_bytes = 0;
};

/// One wgmma of a thread: D += A B^T with A (64 x 32 bytes) and B (`columns` x 32 bytes) in shared memory.
struct matrix_product {
  float* accumulators;
  int columns;
  std::uint64_t a, b;  ///< descriptors
  bool accumulate;
  float (*element)(unsigned char const* at);  ///< in shared memory, as a float
  int element_bytes;
};

/// A cluster that carries out a kernel.
class machine {
 public:
  /// The first address of a block's dynamic shared memory: who aligns it to 1024 loses most.
  static constexpr std::uint32_t shared_start = 1040;

  /// Runs the kernel for every cluster of the grid, one after another. `memory`: the dynamic shared memory of the first
  /// block, by the name the kernel has for it.
  static void run(launch_shape const& shape, std::uint64_t seed, unsigned char* memory, std::size_t memory_bytes,
                  std::function<void()> const& kernel);
  /// The one that runs.
  static machine& now();

  uint3 thread_index() const;
  uint3 block_index() const;
  uint3 grid_size() const;
  std::uint32_t elected_lane() const { return elected_; }

  /// Somewhere another thread may go on.
  void pass();
  [[noreturn]] void fail(std::string what);

  // Barriers in shared memory.
  void barrier_init(std::uint32_t barrier, std::uint32_t arrivals);
  void barrier_init_visible();
  void barrier_arrive(std::uint32_t barrier, std::uint32_t rank, std::uint32_t bytes);
  void barrier_wait(std::uint32_t barrier, std::uint32_t parity);
  // Barriers of threads.
  void named_arrive(int id, int threads);
  void named_sync(int id, int threads);
  void block_sync() { named_sync(0, shape_.threads); }
  void cluster_sync();

  // Shared memory.
  std::uint32_t address_of(void const* pointer) const;
  void load(void* to, std::uint32_t from, std::size_t bytes);
  void store(std::uint32_t to, void const* from, std::size_t bytes) { store_of(lane(), to, from, bytes); }
  /// The same for another lane of the warp.
  void store_of(std::size_t lane, std::uint32_t to, void const* from, std::size_t bytes);
  void fence_for_copies();

  // Copies that come when they like.
  void may_touch_memory() { self().touches_memory = true; }
  void load_box(mapped_matrices const& from, std::uint32_t to, std::uint32_t barrier, int x, int y, int z,
                unsigned blocks);
  void store_box(mapped_matrices const& to, std::uint32_t from, int x, int y, int z);
  void stores_commit();
  void stores_read(int pending);
  void copy_16_bytes(std::uint32_t to, void const* from, std::uint32_t bytes);
  void copies_commit();
  void copies_wait(int pending);

  // wgmma.
  void products_fence() { self().may_multiply = true; }
  void multiply(matrix_product const& product);
  void products_commit();
  void products_wait(int pending);

  std::uint32_t rank() const { return static_cast<std::uint32_t>(self().block); }

  /// What the lanes of a warp do together: the last one that comes calls compute(values of all lanes).
  template <class Value, class Compute>
  void together(char const* name, Value& mine, Compute const& compute) {
    if (meet(name, &mine)) {
      std::array<Value*, 32> all;
      for (std::size_t lane = 0; lane < 32; ++lane) all[lane] = static_cast<Value*>(met(lane));
      compute(all);
      part();
    }
  }

 private:
  enum class waits_for : unsigned char { nothing, barrier, named, warp, cluster, stores };
  struct waiting {
    waits_for what = waits_for::nothing;
    std::uint32_t address = 0;  ///< or the number of a named barrier, or of groups
    long long generation = 0;   ///< or phase
  };
  struct small_copy {
    std::uint32_t to;
    void const* from;
    std::uint32_t bytes;
  };
  struct thread {
    ucontext_t context;
    int number = 0;  ///< in the cluster
    int in_block = 0;
    int block = 0;
    waiting on;
    bool done = false;
    bool touches_memory = false;
    bool may_multiply = false;          ///< has fenced since it last waited for products
    std::vector<std::uint32_t> made{};  ///< barriers that other blocks do not know of
    std::vector<int> unread_stores{0};  ///< of every group, the open one last
    std::vector<std::uint32_t> unfenced;
    std::vector<matrix_product> products;
    std::vector<std::size_t> product_groups;  ///< ends
    std::vector<small_copy> copies;
    std::vector<std::size_t> copy_groups;
    void* fake_stack = nullptr;  ///< of AddressSanitizer
  };
  struct warp {
    std::array<void*, 32> values{};
    char const* name = nullptr;
    int arrived = 0;
    long long generation = 0;
    std::uint64_t priority = 0;
  };
  struct memory_barrier {
    bool made = false;
    bool visible = false;  ///< to other blocks
    std::uint32_t arrivals = 0, pending = 0;
    long long bytes = 0;
    long long phase = 0;
  };
  struct named_barrier {
    int threads = 0, arrived = 0;
    long long generation = 0;
  };
  struct block_state {
    unsigned char* memory = nullptr;
    std::vector<unsigned char> own;
    std::vector<std::uint16_t> unfenced;  ///< of every four bytes: the thread that wrote them, counted from 1
    std::vector<memory_barrier> barriers;
    std::array<named_barrier, 16> named;
    int living = 0;
  };
  struct bulk_copy {
    mapped_matrices matrices;
    bool stores;
    std::uint32_t shared, barrier;
    int x, y, z;
    int block;  ///< whose shared memory it is
    int owner;  ///< the thread that started it
    std::size_t group;
    std::uint64_t priority;
  };

  machine(launch_shape const& shape, std::uint64_t seed, unsigned char* memory, std::size_t memory_bytes,
          std::function<void()> const& kernel);
  void run_cluster(unsigned first_block, unsigned batch);
  void begin_threads();
  bool ready(thread const& t);
  void step();
  void run_warp(std::size_t w);
  void enter(thread& t);
  void leave();
  static void body();
  void wait(waiting const& on);
  bool meet(char const* name, void* mine);
  void* met(std::size_t lane);
  void part();
  void arrive(named_barrier& b, int threads);
  void settle(memory_barrier& b, std::uint32_t address);
  memory_barrier& barrier_at(int block, std::uint32_t address);
  unsigned char* bytes_at(int block, std::uint32_t address, std::size_t bytes);
  void check_fenced(int block, std::uint32_t address, std::size_t bytes, char const* who);
  void carry_out(bulk_copy const& copy);
  void carry_out(small_copy const& copy);
  void multiply_all(std::array<thread**, 32> const& all, int pending);
  void multiply_now(std::array<thread*, 32> const& lanes, std::size_t which);
  std::string place(thread const& t) const;
  std::string why_nobody_goes_on();
  std::uint64_t draw();
  bool one_in(std::uint64_t n) { return draw() % n == 0; }
  std::size_t lane() const { return static_cast<std::size_t>(self().number % 32); }
  thread& self() { return *current_; }
  thread const& self() const { return *current_; }

  launch_shape shape_;
  std::function<void()> const& kernel_;
  std::uint64_t random_;
  std::uint64_t sticks_, passes_;
  std::uint32_t elected_ = 0;
  unsigned first_block_ = 0, batch_ = 0;
  std::vector<thread> threads_;
  std::vector<warp> warps_;
  std::vector<block_state> blocks_;
  std::vector<bulk_copy> copies_;
  named_barrier cluster_barrier_;
  int living_ = 0;
  thread* current_ = nullptr;
  ucontext_t scheduler_;
  void* scheduler_fake_stack_ = nullptr;
  void const* scheduler_stack_ = nullptr;
  std::size_t scheduler_stack_bytes_ = 0;
  std::string failed_;
};

}  // namespace sigmax::test::emulation
