/* A .tflite file as it is; its folder is an include folder. */
    .section .rodata.tinycerb_tflite, "a", %progbits
    .global tinycerb_tflite
    .balign 16
tinycerb_tflite:
    .incbin "model.tflite"
