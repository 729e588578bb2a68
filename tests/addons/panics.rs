//! An addon whose function panics where no panic can go on: across the boundary to C. Node-API by hand, so that it needs no crate.
#![crate_type = "cdylib"]

use std::ffi::{c_char, c_int, c_void, CStr};

type Callback = unsafe extern "C" fn(*mut c_void, *mut c_void) -> *mut c_void;

extern "C" {
    fn napi_create_function(env: *mut c_void, name: *const c_char, length: usize, callback: Callback, data: *mut c_void, result: *mut *mut c_void) -> c_int;
    fn napi_set_named_property(env: *mut c_void, object: *mut c_void, name: *const c_char, value: *mut c_void) -> c_int;
}

#[inline(never)]
fn panic_deep_inside(list: &[u8]) -> u8 {
    list[std::hint::black_box(5)]
}

unsafe extern "C" fn panics(_env: *mut c_void, _info: *mut c_void) -> *mut c_void {
    panic_deep_inside(&[1, 2, 3]) as usize as *mut c_void
}

/// # Safety
/// Called by whoever loads the addon.
#[no_mangle]
pub unsafe extern "C" fn napi_register_module_v1(env: *mut c_void, exports: *mut c_void) -> *mut c_void {
    let name = CStr::from_bytes_with_nul(b"panics\0").unwrap().as_ptr();
    let mut function = std::ptr::null_mut();
    napi_create_function(env, name, usize::MAX, panics, std::ptr::null_mut(), &mut function);
    napi_set_named_property(env, exports, name, function);
    exports
}
