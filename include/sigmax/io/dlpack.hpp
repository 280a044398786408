// SPDX-License-Identifier: MIT
/// @file
/// Tensors of other libraries (PyTorch, JAX, CuPy, TensorFlow, ...) as matrices and back, by DLPack, in host memory and on
/// CUDA devices. Nothing is copied.
///
/// The structs here have the layout of those of dlpack.h 1.0 (https://dmlc.github.io/dlpack/latest/c_api.html), which
/// need not be there; functions take either, by their members.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::dlpack {

/// DLDevice, DLDataType, DLTensor, DLManagedTensor, DLPackVersion and DLManagedTensorVersioned.
struct device {
  std::int32_t device_type;
  std::int32_t device_id;
};
struct data_type {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};
struct tensor {
  void* data;
  dlpack::device device;
  std::int32_t ndim;
  data_type dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null for dense rows
  std::uint64_t byte_offset;
};
struct managed_tensor {
  tensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(managed_tensor*);
};
struct version {
  std::uint32_t major;
  std::uint32_t minor;
};
struct managed_tensor_versioned {
  dlpack::version version;
  void* manager_ctx;
  void (*deleter)(managed_tensor_versioned*);
  std::uint64_t flags;
  tensor dl_tensor;
};

/// Values of `device_type`, `code` and bits of `flags`.
inline constexpr int cpu = 1, cuda = 2, cuda_host = 3, cuda_managed = 13;
inline constexpr int floating_point = 2, bfloat = 4;
inline constexpr std::uint64_t is_read_only = 1;

/// DLTensor or something with its members.
template <class D>
concept tensor_like = requires(D const& t) {
  t.data;
  t.device.device_type;
  t.ndim;
  t.dtype.code;
  t.dtype.bits;
  t.dtype.lanes;
  t.shape;
  t.strides;
  t.byte_offset;
};

/// DLManagedTensor, DLManagedTensorVersioned or something with their members.
template <class D>
concept managed_like = requires(D& t) {
  { t.dl_tensor } -> tensor_like;
  t.manager_ctx;
  t.deleter(&t);
};

namespace detail {

template <storage_scalar T>
constexpr data_type type_of() {
  static_assert(!std::same_as<T, long double>, "sigmax::dlpack: long double has no name in DLPack");
  return {static_cast<std::uint8_t>(std::same_as<T, bf16> ? bfloat : floating_point),
          static_cast<std::uint8_t>(8 * sizeof(T)), 1};
}

constexpr char const* name_of_code(int code) {
  constexpr char const* names[] = {"int", "uint", "float", "opaque", "bfloat", "complex", "bool"};
  return code >= 0 && code < 7 ? names[code] : "type of code ";
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_type(data_type found, data_type wanted) {
  sigmax::detail::raise<unsupported_error>({"dlpack: dtype is ", name_of_code(found.code), int{found.bits}, " x ",
                                            int{found.lanes}, "; the view is of ", name_of_code(wanted.code),
                                            int{wanted.bits}});
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_device(int found, bool is_host) {
  sigmax::detail::raise<unsupported_error>({"dlpack: device_type is ", found,
                                            is_host ? "; a view of host memory needs 1 (CPU) or 3 (pinned)"
                                                    : "; a view of device memory needs 2 (CUDA) or 13 (managed)"});
}

/// Where elements of an exported matrix lie.
template <class Space>
constexpr int device_of = std::is_same_v<Space, host_space> ? cpu : cuda;

/// What an exported tensor owns.
template <class Managed, class M>
struct keeper {
  M owner;
  std::int64_t shape[2];
  std::int64_t strides[2];
  Managed managed;
};

}  // namespace detail

/// The tensor of two dimensions as a matrix, element [i, j] as (i, j). T is its scalar (const or not), Space where it lies.
/// The tensor must outlive the view.
/// @throws unsupported_error if dtype or device are others, or elements are not aligned; shape_error if it has not two
/// dimensions, or a negative one.
template <class T, class Space = host_space, tensor_like D>
  requires storage_scalar<std::remove_const_t<T>> matrix_view<T, Space> view_of(D const& t) {
    using sigmax::detail::raise;
    constexpr bool is_host = std::is_same_v<Space, host_space>;
    constexpr data_type wanted = detail::type_of<std::remove_const_t<T>>();
    data_type const found{static_cast<std::uint8_t>(t.dtype.code), static_cast<std::uint8_t>(t.dtype.bits),
                          static_cast<std::uint16_t>(t.dtype.lanes)};
    if (found.code != wanted.code || found.bits != wanted.bits || found.lanes != 1) detail::refuse_type(found, wanted);
    auto const device_type = static_cast<int>(t.device.device_type);
    bool const is_there =
        is_host ? device_type == cpu || device_type == cuda_host : device_type == cuda || device_type == cuda_managed;
    if (!is_there) detail::refuse_device(device_type, is_host);
    if (t.ndim != 2) raise<shape_error>({"dlpack: ndim is ", t.ndim, "; a matrix has 2"});
    auto const address = reinterpret_cast<std::uintptr_t>(t.data) + static_cast<std::uintptr_t>(t.byte_offset);
    if (address % alignof(T) != 0) {
      raise<unsupported_error>(
          {"dlpack: byte_offset is ", t.byte_offset, "; elements must be aligned to ", sizeof(T), " bytes"});
    }
    auto* const data = reinterpret_cast<T*>(address);
    index_t const rows = t.shape[0];
    index_t const cols = t.shape[1];
    if (t.strides == nullptr) return {data, rows, cols};
    return {data, rows, cols, static_cast<index_t>(t.strides[0]), static_cast<index_t>(t.strides[1])};
  }

/// The matrix in a managed tensor, which goes on to own it. @throws as above, and domain_error if the tensor is read-only
/// and T is not const.
template <class T, class Space = host_space, managed_like D>
  requires storage_scalar<std::remove_const_t<T>> matrix_view<T, Space> view_of(D const& managed) {
    if constexpr (requires { managed.flags; } && !std::is_const_v<T>) {
      if ((managed.flags & is_read_only) != 0) {
        sigmax::detail::raise<domain_error>({"dlpack: the tensor is read-only; view it as constant elements"});
      }
    }
    return view_of<T, Space>(managed.dl_tensor);
  }

/// Calls the deleter of a managed tensor that was received, as whoever consumes one has to, once.
struct release {
  template <managed_like D>
  void operator()(D* managed) const {
    if (managed != nullptr && managed->deleter != nullptr) managed->deleter(managed);
  }
};

/// A received tensor, released when this dies.
template <managed_like D = managed_tensor>
using owned_tensor = std::unique_ptr<D, release>;

/// A managed tensor for others, who call its deleter when they are done. A matrix that is given away (std::move) lives until
/// then; of a view the elements have to. Managed: one of the structs above or of dlpack.h.
template <managed_like Managed = managed_tensor, matrix_like M>
  requires(!std::is_lvalue_reference_v<M>)
Managed* share(M&& matrix, int device_id = 0) {
  using space = space_t<M>;
  using kept = detail::keeper<Managed, std::remove_cv_t<M>>;
  auto* const keeper = new kept{std::move(matrix), {}, {}, {}};
  auto const view = sigmax::view(keeper->owner);
  using element = std::remove_pointer_t<decltype(view.data())>;
  keeper->shape[0] = view.rows();
  keeper->shape[1] = view.cols();
  keeper->strides[0] = view.row_stride();
  keeper->strides[1] = view.col_stride();
  Managed& managed = keeper->managed;
  auto& t = managed.dl_tensor;
  t.data = const_cast<std::remove_const_t<element>*>(view.data());
  t.device.device_type = static_cast<decltype(t.device.device_type)>(detail::device_of<space>);
  t.device.device_id = std::is_same_v<space, host_space> ? 0 : device_id;
  t.ndim = 2;
  constexpr data_type type = detail::type_of<value_t<M>>();
  t.dtype.code = type.code;
  t.dtype.bits = type.bits;
  t.dtype.lanes = type.lanes;
  t.shape = keeper->shape;
  t.strides = keeper->strides;
  t.byte_offset = 0;
  if constexpr (requires { managed.flags; }) {
    managed.version.major = 1;
    managed.version.minor = 0;
    managed.flags = std::is_const_v<element> ? is_read_only : 0;
  } else {
    static_assert(!std::is_const_v<element>, "sigmax::dlpack: only the versioned struct can say that it is read-only");
  }
  managed.manager_ctx = keeper;
  managed.deleter = [](Managed* gone) { delete static_cast<kept*>(gone->manager_ctx); };
  return &managed;
}

}  // namespace sigmax::inline SIGMAX_ABI::dlpack
