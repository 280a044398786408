// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>
#include <vector>

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/status.cuh>
#include <sigmax/cuda/kernels/weight_step.cuh>
#include <sigmax/cuda/library/weight_step.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace {

constexpr std::size_t product_workspace_bytes = std::size_t{32} << 20;
constexpr index inspected_elements = 1 << 16;  ///< by one block, about

/// Weights whose operands have one shape, and that go through the same steps.
struct step_group {
  index rows, cols;        ///< the short and the long side
  index row, size;         ///< elements of an operand's row and matrix
  index square_row, square_size;
  bool has_direction;
  bool starts_segment[most_steps];
  std::vector<group_member> members;
  group_member const* on_device = nullptr;

  int count() const { return static_cast<int>(members.size()); }
};

/// Places in one piece of memory. Without memory it only counts.
class arena {
 public:
  explicit arena(unsigned char* memory) : memory_(memory) {}
  template <class T>
  T* take(index count) {
    auto* const place = reinterpret_cast<T*>(memory_ == nullptr ? nullptr : memory_ + used_);
    used_ += (static_cast<std::size_t>(count) * sizeof(T) + 255) / 256 * 256;
    return place;
  }
  std::size_t used() const { return used_; }

 private:
  unsigned char* memory_;
  std::size_t used_ = 0;
};

/// What all groups share, on the device.
struct step_memory {
  step_numbers* numbers;
  step_flags* flags;
  inspected_rows* inspected;
  double* sums;
  int* first_part;
  float* target;
  float* scale;
  void* operands[2];
  void* squares[5];
  moments* parts;
  first_step* firsts;
  coefficients* square_factors;
  coefficients* conjugates;
  coefficients* lasts;
  float4* combinations;
  coefficients* cap_products;
  float* split;
  void* workspace;
};

void started(char const* kernel) { must(cudaGetLastError(), kernel); }

dim3 grid_of(index x, index y = 1) { return dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)); }

}  // namespace

struct step_state {
  step_settings settings;
  int count = 0;
  std::vector<step_group> groups;
  std::vector<inspected_rows> inspected;
  std::vector<int> first_part;
  std::vector<float> target;
  std::size_t split_bytes = 0;

  unsigned char* memory = nullptr;
  std::size_t bytes = 0;
  step_memory at{};
  product_state* products = nullptr;
  cudaGraphExec_t ready = nullptr;

  step_state() = default;
  step_state(step_state const&) = delete;
  step_state& operator=(step_state const&) = delete;
  ~step_state() {
    if (ready != nullptr) cudaGraphExecDestroy(ready);
    destroy_product_state(products);
    if (memory != nullptr) cudaFree(memory);
  }

  void sort_into_groups(step_weight const* weights);
  void list_inspected(step_weight const* weights);
  void place(arena& from);
  void upload();
  void make_graph();
  template <operand_kind Kind>
  void record(cudaStream_t on);
};

namespace {

/// Records the products and passes of one group.
template <operand_kind Kind>
class group_recorder {
 public:
  using T = typename device::operand<Kind>::storage;

  group_recorder(step_state const& state, step_group const& group, cudaStream_t on)
      : state_(state), group_(group), on_(on) {
    for (int i = 0; i < 2; ++i) operand_[i] = static_cast<T*>(state.at.operands[i]);
    for (void* const square : state.at.squares) free_.push_back(static_cast<T*>(square));
  }

  void record() {
    if (group_.has_direction) {
      pass_elements<passage::pack>(nullptr, operand_[0], true);
      orthogonalize();
      pass_elements<passage::update>(operand_[0], operand_[1], state_.settings.cap);
      std::swap(operand_[0], operand_[1]);
    } else {
      pass_elements<passage::load>(nullptr, operand_[0], true);
    }
    if (state_.settings.cap) cap();
  }

 private:
  T* take() {
    T* const square = free_.back();
    free_.pop_back();
    return square;
  }
  void give(T* square) { free_.push_back(square); }

  device_batch operand(T* data) const {
    return {data, group_.rows, group_.cols, group_.row, group_.size, group_.count()};
  }
  device_batch square(T* data) const {
    return {data, group_.rows, group_.rows, group_.square_row, group_.square_size, group_.count()};
  }

  /// result = alpha p q + beta c + diagonal I, of numbers for all matrices or one entry each.
  void symmetric(T* p, T* q, T* c, T* result, coefficients same, coefficients const* each = nullptr) const {
    symmetric_call call;
    call.kind = Kind;
    call.left = square(p);
    call.right = square(q);
    if (c != nullptr) call.addend = square(c);
    call.result = square(result);
    call.same = same;
    call.each = each;
    must(symmetric_on_tensor_cores(on_, call));
  }

  void gram(T* x, T* result) const {
    symmetric_call call;
    call.kind = Kind;
    call.left = call.right = operand(x);
    call.result = square(result);
    call.scratch = state_.at.split;
    call.scratch_bytes = state_.split_bytes;
    must(symmetric_on_tensor_cores(on_, call));
  }

  void multiply(T* q, T* x, T* result) const {
    product_call call;
    call.kind = Kind;
    call.left = square(q);
    call.right = operand(x);
    call.result = operand(result);
    must(multiply_on_tensor_cores(state_.products, on_, call));
  }

  template <passage Way>
  void pass_elements(T* y, T* x, bool keep_operand) const {
    index const squares = (group_.rows + 63) / 64 * ((group_.cols + 63) / 64);
    pass<T, Way><<<grid_of(squares, group_.count()), 256, 0, on_>>>(
        group_.on_device, group_.rows, group_.cols, group_.row, group_.size, y, x, state_.at.numbers, state_.at.scale,
        state_.at.flags, keep_operand);
    started("pass");
  }

  void moments_of(T* matrices) const {
    sum_moments<T><<<grid_of(moment_parts, group_.count()), 256, 0, on_>>>(matrices, group_.rows, group_.square_row,
                                                                          group_.square_size, state_.at.parts);
    started("sum_moments");
  }

  void combine(T* r, T* p, T* h) const {
    combine_matrices<T><<<grid_of(group_.rows, group_.count()), 256, 0, on_>>>(
        r, p, h, group_.rows, group_.square_row, group_.square_size, state_.at.combinations);
    started("combine_matrices");
  }

  /// H of the first step from R, with the singular values scaled by what R tells.
  void first_polynomial(T* r, T* h, bool single) {
    auto const& settings = state_.settings;
    auto const& at = state_.at;
    unsigned const blocks = static_cast<unsigned>((group_.count() + 31) / 32);
    T* const p = take();
    moments_of(r);
    bound_gram<<<blocks, 32, 0, on_>>>(at.parts, group_.count(), group_.rows, target_of(group_),
                                       settings.normalize_by_frobenius, at.firsts, at.square_factors);
    started("bound_gram");
    symmetric(r, r, nullptr, p, {}, at.square_factors);
    moments_of(p);
    bound_square<<<blocks, 32, 0, on_>>>(at.parts, group_.count(), group_.rows, settings.normalize_by_frobenius, single,
                                         settings.polynomial[0][0], settings.polynomial[0][1],
                                         settings.polynomial[0][2], static_cast<double>(settings.margin), at.firsts,
                                         at.combinations, at.conjugates, at.lasts);
    started("bound_square");
    combine(r, p, h);
    give(p);
  }

  void polynomial(int step, T* r, T* h) const {
    auto const& p = state_.settings.polynomial[step];
    symmetric(r, r, r, h, {p[2], p[1], p[0]});
  }

  void orthogonalize() {
    int const steps = state_.settings.steps;
    for (int t = 0; t < steps;) {
      int end = t + 1;
      while (end < steps && !group_.starts_segment[end]) ++end;
      T* const r = take();
      T* h = take();
      gram(operand_[0], r);
      if (t == 0) {
        first_polynomial(r, h, end == 1);
      } else {
        polynomial(t, r, h);
      }
      T* q = h;
      for (int u = t + 1; u < end; ++u) {  // R <- H R H, Q <- Q H
        bool const scaled = t == 0;
        T* const w = take();
        symmetric(r, h, nullptr, w, {}, scaled && u == 1 ? state_.at.conjugates : nullptr);
        symmetric(h, w, nullptr, r, {});
        give(w);
        if (h != q) give(h);
        h = take();
        polynomial(u, r, h);
        T* const next = take();
        symmetric(q, h, nullptr, next, {}, scaled && u + 1 == end ? state_.at.lasts : nullptr);
        give(q);
        q = next;
      }
      multiply(q, operand_[0], operand_[1]);
      std::swap(operand_[0], operand_[1]);
      if (h != q) give(h);
      give(q);
      give(r);
      t = end;
    }
  }

  /// Z = c_0 P + P (c_1 R + c_2 P), P = R^2; W += cap_width Z X.
  void cap() {
    auto const& at = state_.at;
    spread_caps<<<static_cast<unsigned>((group_.count() + 31) / 32), 32, 0, on_>>>(
        group_.on_device, group_.count(), at.numbers, at.combinations, at.cap_products);
    started("spread_caps");
    T* const r = take();
    T* const p = take();
    T* const sum = take();
    T* const z = take();
    gram(operand_[0], r);
    symmetric(r, r, nullptr, p, {});
    combine(r, p, sum);
    symmetric(sum, p, p, z, {}, at.cap_products);
    multiply(z, operand_[0], operand_[1]);
    pass_elements<passage::cap>(operand_[1], nullptr, false);
  }

 public:
  /// ||X||_F of what is packed: sqrt(m) / 2 keeps 16-bit operands and their Gram matrix in range whatever the spectrum.
  static double target_of(step_group const& group) { return 0.5 * std::sqrt(static_cast<double>(group.rows)); }

 private:
  step_state const& state_;
  step_group const& group_;
  cudaStream_t on_;
  T* operand_[2];
  std::vector<T*> free_;
};

}  // namespace

void step_state::sort_into_groups(step_weight const* weights) {
  index const elements = 16 / size_of(settings.kind);
  auto const rounded = [&](index n) { return (n + elements - 1) / elements * elements; };
  for (int i = 0; i < count; ++i) {
    auto const& w = weights[i];
    index const rows = std::min(w.rows, w.cols);
    index const cols = std::max(w.rows, w.cols);
    bool const has_direction = w.direction != nullptr;
    auto const same = [&](step_group const& g) {
      return g.rows == rows && g.cols == cols && g.has_direction == has_direction &&
             std::equal(g.starts_segment, g.starts_segment + settings.steps, w.starts_segment);
    };
    auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) {
      step_group fresh{};
      fresh.rows = rows;
      fresh.cols = cols;
      fresh.row = rounded(cols);
      fresh.size = rows * fresh.row;
      fresh.square_row = rounded(rows);
      fresh.square_size = rows * fresh.square_row;
      fresh.has_direction = has_direction;
      std::copy(w.starts_segment, w.starts_segment + most_steps, fresh.starts_segment);
      groups.push_back(fresh);
      group = groups.end() - 1;
    }
    group->members.push_back({w.weight, w.direction, w.weight_stride, w.direction_stride, i, w.weight_kind,
                              w.direction_kind, w.rows > w.cols});
  }
}

void step_state::list_inspected(step_weight const* weights) {
  auto const list = [&](int weight, void const* data, element_kind kind, index stride) {
    auto const& w = weights[weight];
    index const at_once = std::max<index>(1, inspected_elements / w.cols);
    index const element = kind == element_kind::f32 ? 4 : 2;
    for (index row = 0; row < w.rows; row += at_once) {
      bool const contiguous = stride == w.cols && (row * stride * element) % 16 == 0 &&
                              reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
      inspected.push_back({data, w.cols, stride, row, static_cast<int>(std::min(at_once, w.rows - row)), weight, kind,
                           contiguous});
    }
  };
  for (int i = 0; i < count; ++i) {
    auto const& w = weights[i];
    first_part.push_back(static_cast<int>(inspected.size()));
    if (w.direction != nullptr) list(i, w.direction, w.direction_kind, w.direction_stride);
    target.push_back(0.5f * std::sqrt(static_cast<float>(std::min(w.rows, w.cols))));
  }
  first_part.push_back(static_cast<int>(inspected.size()));
  for (int i = 0; i < count; ++i) list(i, weights[i].weight, weights[i].weight_kind, weights[i].weight_stride);
}

void step_state::place(arena& from) {
  auto const parts = static_cast<index>(inspected.size());
  at.numbers = from.take<step_numbers>(count);
  at.flags = from.take<step_flags>(1);
  at.inspected = from.take<inspected_rows>(parts);
  at.sums = from.take<double>(parts);
  at.first_part = from.take<int>(count + 1);
  at.target = from.take<float>(count);
  at.scale = from.take<float>(count);
  index operand = 0;
  index square = 0;
  index most = 0;
  for (auto& group : groups) {
    operand = std::max(operand, group.count() * group.size);
    square = std::max(square, group.count() * group.square_size);
    most = std::max<index>(most, group.count());
    group.on_device = from.take<group_member>(group.count());
  }
  for (auto& place : at.operands) place = from.take<unsigned char>(operand * size_of(settings.kind));
  for (auto& place : at.squares) place = from.take<unsigned char>(square * size_of(settings.kind));
  at.parts = from.take<moments>(most * moment_parts);
  at.firsts = from.take<first_step>(most);
  at.square_factors = from.take<coefficients>(most);
  at.conjugates = from.take<coefficients>(most);
  at.lasts = from.take<coefficients>(most);
  at.combinations = from.take<float4>(most);
  at.cap_products = from.take<coefficients>(most);
  at.split = split_bytes == 0 ? nullptr : from.take<float>(static_cast<index>(split_bytes / sizeof(float)));
  at.workspace = from.take<unsigned char>(static_cast<index>(product_workspace_bytes));
}

void step_state::upload() {
  auto const copy = [](void* to, void const* from, std::size_t size) {
    must(cudaMemcpy(to, from, size, cudaMemcpyHostToDevice), "cudaMemcpy");
  };
  copy(at.inspected, inspected.data(), inspected.size() * sizeof(inspected_rows));
  copy(at.first_part, first_part.data(), first_part.size() * sizeof(int));
  copy(at.target, target.data(), target.size() * sizeof(float));
  std::vector<step_numbers> const numbers(static_cast<std::size_t>(count));
  copy(at.numbers, numbers.data(), numbers.size() * sizeof(step_numbers));
  step_flags const flags{no_weight, no_weight};
  copy(at.flags, &flags, sizeof(flags));
  for (auto const& group : groups) {
    copy(const_cast<group_member*>(group.on_device), group.members.data(), group.members.size() * sizeof(group_member));
  }
}

template <operand_kind Kind>
void step_state::record(cudaStream_t on) {
  begin_step<<<1, 1, 0, on>>>(at.flags);
  inspect<<<grid_of(static_cast<index>(inspected.size())), 256, 0, on>>>(at.inspected, at.sums, at.flags);
  scale_directions<<<grid_of(count), 256, 0, on>>>(at.sums, at.first_part, at.target, at.scale, at.flags);
  started("scale_directions");
  for (auto const& group : groups) group_recorder<Kind>(*this, group, on).record();
}

void step_state::make_graph() {
  struct owned {
    cudaStream_t stream = nullptr;
    cudaGraph_t graph = nullptr;
    ~owned() {
      if (graph != nullptr) cudaGraphDestroy(graph);
      if (stream != nullptr) cudaStreamDestroy(stream);
    }
  } own;
  must(cudaStreamCreateWithFlags(&own.stream, cudaStreamNonBlocking), "cudaStreamCreate");
  must(cudaStreamBeginCapture(own.stream, cudaStreamCaptureModeRelaxed), "cudaStreamBeginCapture");
  try {
    switch (settings.kind) {
      case operand_kind::bf16:
        record<operand_kind::bf16>(own.stream);
        break;
      case operand_kind::f16:
        record<operand_kind::f16>(own.stream);
        break;
      default:
        record<operand_kind::tf32>(own.stream);
    }
  } catch (...) {
    (void)cudaStreamEndCapture(own.stream, &own.graph);
    throw;
  }
  must(cudaStreamEndCapture(own.stream, &own.graph), "cudaStreamEndCapture");
  must(cudaGraphInstantiate(&ready, own.graph, 0), "cudaGraphInstantiate");
}

status create_step_state(step_weight const* weights, int count, step_settings const& settings, step_state** made) {
  return guarded([&] {
    auto state = std::make_unique<step_state>();
    state->settings = settings;
    state->count = count;
    state->sort_into_groups(weights);
    state->list_inspected(weights);
    for (auto const& group : state->groups) {
      std::size_t needed = 0;
      must(symmetric_scratch_bytes(settings.kind, group.rows, group.cols, group.count(), &needed));
      state->split_bytes = std::max(state->split_bytes, needed);
    }
    arena measure(nullptr);
    state->place(measure);
    state->bytes = measure.used();
    must(cudaMalloc(&state->memory, state->bytes), "cudaMalloc");
    arena real(state->memory);
    state->place(real);
    state->upload();
    must(create_product_state(state->at.workspace, product_workspace_bytes, &state->products));
    state->make_graph();
    *made = state.release();
  });
}

void destroy_step_state(step_state* gone) { delete gone; }

status put_step_numbers(step_state* state, stream on, step_numbers const* numbers) {
  return guarded([&] {
    must(cudaMemcpyAsync(state->at.numbers, numbers, static_cast<std::size_t>(state->count) * sizeof(step_numbers),
                         cudaMemcpyHostToDevice, on),
         "cudaMemcpyAsync");
  });
}

status launch_step(step_state* state, stream on) {
  return guarded([&] { must(cudaGraphLaunch(state->ready, on), "cudaGraphLaunch"); });
}

status check_step(step_state* state, stream on, int* bad) {
  return guarded([&] {
    step_flags flags{};
    must(cudaMemcpyAsync(&flags, state->at.flags, sizeof(flags), cudaMemcpyDeviceToHost, on), "cudaMemcpyAsync");
    must(cudaStreamSynchronize(on), "cudaStreamSynchronize");
    *bad = flags.reported == no_weight ? -1 : flags.reported;
    if (*bad < 0) return;
    step_flags const clear{no_weight, no_weight};
    must(cudaMemcpyAsync(state->at.flags, &clear, sizeof(clear), cudaMemcpyHostToDevice, on), "cudaMemcpyAsync");
    must(cudaStreamSynchronize(on), "cudaStreamSynchronize");
  });
}

std::size_t step_memory_bytes(step_state const* state) { return state->bytes; }

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
