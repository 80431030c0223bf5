"""One quantity, one number: what several kernels compute under equal premises comes out equal.

Each quantity has a list of settings, and each setting the ways to it: (kernel, parameters, expression), the expression over the kernel's outputs and
parameters. The first way is the reference. Equal is equal but for the rounding of floats, or within a tolerance that is given with its reason.
"""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace
from typing import Any

import pytest

from kernels.declare import find
from kernels.library.machines._clusters import CLUSTERS
from kernels.library.machines._devices import DEVICES
from kernels.library.models._models import SHAPES

ROUNDING = 1e-12
NAMES = {"log": math.log, "sqrt": math.sqrt, "abs": abs}

DENSE = ("llama-2-7b", "llama-3-8b", "llama-2-70b", "qwen2.5-7b", "gpt3-13b")
GPUS = ("a100", "h100", "h200", "rtx-4090")
SIZES = (124_000_000, 7_000_000_000, 70_000_000_000)
DGX = CLUSTERS["dgx-h100"]

SAME: dict[str, list[list[tuple[str, dict[str, Any], str]]]] = {
    # ------------------------------------------------------------------------------------------------- parameters
    "parameters of a model": [
        [
            ("model_shape", {"model": model}, "parameters"),
            ("kv_cache", {"model": model, "tokens": 1}, "weights / 2"),
            ("quantized_size", {"model": model, "bits": 8}, "bf16 / 2"),
            ("bias_share", {"model": model}, "parameters"),
            ("lora_memory", {"model": model, "rank": 8}, "trainable / trainable_share"),
            ("serving_memory", {"model": model}, "weights_fp32 / 4"),
        ]
        for model in DENSE
    ],
    "parameters of a mixture, held and used": [
        [
            ("model_shape", {"model": model}, f"{which}parameters"),
            ("moe_shape", {"model": model}, f"{which}parameters"),
            *([("moe_weight_reads", {"model": model}, "held / 2")] if not which else []),
        ]
        for model in ("mixtral-8x7b", "olmoe-1b-7b", "deepseek-v3")
        for which in ("", "active_")
    ],
    "parameters of one gated FFN": [
        [
            ("moe_shape", {"model": model}, "expert"),
            ("ffn_budget", {"d_model": SHAPES[model].d_model, "expansion": SHAPES[model].ffn / SHAPES[model].d_model}, "parameters"),
        ]
        for model in ("mixtral-8x7b", "mixtral-8x22b", "qwen3-30b-a3b")
    ],
    "inner width of a Llama's FFN": [
        [
            ("model_shape", {"model": model}, "ffn"),
            ("ffn_budget", {"d_model": SHAPES[model].d_model, "multiple_of": multiple, "multiplier": by}, "hidden"),
        ]
        for model, multiple, by in (("llama-2-7b", 256, 1.0), ("llama-13b", 256, 1.0), ("llama-2-70b", 4096, 1.3), ("llama-3-8b", 1024, 1.3))
    ],
    "weights of a GPT's blocks": [
        [
            ("model_shape", {"model": model}, "linear"),
            ("embedding_share", {"d_model": SHAPES[model].d_model, "layers": SHAPES[model].layers}, "body"),
            ("no_grad_memory", {"width": SHAPES[model].d_model, "layers": SHAPES[model].layers}, "weights / 2"),
            ("tensor_parallel", {"width": SHAPES[model].d_model, "tokens": 1, "gpus": 2}, f"layer_weights * gpus / 2 * {SHAPES[model].layers}"),
        ]
        for model in ("gpt2", "gpt3-13b", "gpt3-175b")
    ],
    "parameters of embedding and head, without positions": [
        [
            ("model_shape", {"model": model}, "embedding"),
            (
                "embedding_share",
                {"d_model": SHAPES[model].d_model, "layers": 1, "vocab": SHAPES[model].vocab, "tied": SHAPES[model].tied},
                "embedding",
            ),
        ]
        for model in ("llama-2-7b", "llama-3.2-1b", "qwen2.5-7b")
    ],
    "the embedding's share of a small model": [
        [
            ("embedding_share", {"d_model": d, "layers": d // 64, "vocab": vocab}, "share"),
            (
                "scaling_bend",
                {"smallest": 12 * d**3 / 64 + vocab * d, "largest": 1e11, "target": 1e12, "vocab": vocab, "aspect": 64.0},
                "share_smallest",
            ),
        ]
        for d, vocab in ((256, 50257), (512, 32000), (1024, 128256))
    ],
    "parameters of a LoRA adapter on queries and values": [
        [
            ("lora_memory", {"model": model, "rank": rank, "targets": "qv"}, "trainable"),
            ("peft_parameters", {"model": model, "rank": rank, "targets": "qv"}, "lora"),
            *(
                [
                    (
                        "low_rank_pair",
                        {"d_in": SHAPES[model].d_model, "d_out": SHAPES[model].d_model, "rank": rank},
                        f"2 * pair * {SHAPES[model].layers}",
                    )
                ]
                if SHAPES[model].heads == SHAPES[model].kv_heads
                else []
            ),
        ]
        for model, rank in (("llama-2-7b", 8), ("gpt3-175b", 4), ("llama-2-70b", 16))
    ],
    "share of a model that LoRA trains": [
        [
            ("lora_memory", {"model": model, "rank": rank, "targets": targets}, "trainable_share"),
            ("peft_parameters", {"model": model, "rank": rank, "targets": targets}, "lora_share"),
        ]
        for model, rank, targets in (("llama-2-7b", 8, "qv"), ("llama-3-8b", 16, "all-linear"), ("llama-2-70b", 64, "all-linear"))
    ],
    "parameters of a 3 x 3 convolution": [
        [
            ("conv_blocks", {"channels": c}, "plain"),
            ("conv_stack", {"kernel_size": 3, "channels_in": c, "channels": c}, "parameters"),
        ]
        for c in (64, 256, 512)
    ],
    # ------------------------------------------------------------------------------------------------------ bytes
    "bytes of weights in 16 bits": [
        [
            ("model_shape", {"model": model}, "2 * parameters"),
            ("kv_cache", {"model": model, "tokens": 1}, "weights"),
            ("quantized_size", {"model": model, "bits": 4}, "bf16"),
            ("serving_memory", {"model": model, "format": "fp16"}, "weights"),
            ("lora_memory", {"model": model, "rank": 8}, "weights"),
            ("finetune_memory", {"model": model}, "lora_weights"),
            ("sharding_fit", {"parameters": find("model_shape")(model=model)["parameters"], "gpus": 8}, "weights"),
        ]
        for model in DENSE
    ],
    "bytes of weights in int4, a scale for 128": [
        [
            ("quantized_size", {"model": model, "bits": 4, "group_size": 128}, "total"),
            ("serving_memory", {"model": model, "format": "int4"}, "weights"),
        ]
        for model in DENSE
    ],
    "bits of a 4-bit weight with its scales": [
        [
            ("quantized_size", {"model": "llama-2-7b", "bits": bits, "group_size": group}, "bits_per_weight"),
            ("weight_only_gain", {"bits": bits + 16 / group}, "16 / most"),
        ]
        for bits, group in ((4, 128), (4, 64), (3, 128), (8, 32))
    ],
    "bytes of weights in NF4 with double quantisation": [
        [
            ("lora_memory", {"model": model, "rank": 8, "base": "nf4"}, "weights"),
            ("finetune_memory", {"model": model}, "qlora_weights"),
            ("quantized_size", {"model": model, "bits": 4, "group_size": 64, "scale_bits": 8 + 32 / 256}, "total"),
        ]
        for model in DENSE
    ],
    "bytes of KV cache a token": [
        [
            ("kv_cache", {"model": model, "tokens": 1}, "per_token"),
            ("serving_memory", {"model": model}, "per_token"),
            ("decode_roofline", {"model": model, "context": 1}, "cache"),
            ("token_inflation", {"model": model, "tokens": 1}, "kv_cache"),
            ("prompt_or_tune", {"model": model, "saved": 1}, "prefix_cache"),
            ("peft_parameters", {"model": model, "tokens": 1}, "2 * prefix"),
            (
                "mla_cache",
                {
                    "layers": SHAPES[model].layers,
                    "heads": SHAPES[model].heads,
                    "kv_heads": SHAPES[model].kv_heads,
                    "head_dim": SHAPES[model].head_dim,
                },
                "gqa_per_token",
            ),
        ]
        for model in DENSE
    ],
    "bytes of KV cache of a batch": [
        [
            ("kv_cache", {"model": "llama-3-8b", "tokens": tokens, "batch": batch}, "total"),
            ("serving_memory", {"model": "llama-3-8b", "tokens": tokens, "batch": batch}, "cache"),
            ("decode_roofline", {"model": "llama-3-8b", "context": tokens, "batch": batch}, "cache"),
        ]
        for tokens, batch in ((1, 1), (4096, 8), (131072, 32))
    ],
    "bytes of KV cache a token with a head's own keys and values": [
        [
            ("kv_cache", {"model": model, "tokens": 1}, "per_token_mha"),
            ("mla_cache", {"layers": SHAPES[model].layers, "heads": SHAPES[model].heads, "head_dim": SHAPES[model].head_dim}, "mha_per_token"),
        ]
        for model in ("llama-2-70b", "llama-3-8b", "deepseek-v2", "deepseek-v3")
    ],
    "bytes of latent cache": [
        [
            ("kv_cache", {"model": model, "tokens": tokens, "batch": 8}, "total"),
            ("mla_cache", {"layers": SHAPES[model].layers, "tokens": tokens}, "mla_per_token * tokens * batch"),
            ("mla_cache", {"tokens": tokens}, f"layer_latents * {SHAPES[model].layers}"),
            ("mla_step", {"tokens": tokens}, f"latents * {SHAPES[model].layers}"),
        ]
        for model, tokens in (("deepseek-v2", 1), ("deepseek-v2", 4096), ("deepseek-v3", 32768))
    ],
    "bytes of mixed-precision AdamW's state": [
        [
            ("training_memory", {"parameters": n}, "total"),
            ("zero_memory", {"parameters": n, "gpus": 64, "stage": 0}, "per_gpu"),
            ("zero_memory", {"parameters": n, "gpus": 64, "stage": 3}, "per_gpu * gpus"),
            ("zero_offload", {"parameters": n, "gpus": 8}, "whole"),
            ("sharding_fit", {"parameters": n, "gpus": 8}, "total"),
            ("rlhf_memory", {"parameters": n}, "one"),
            ("checkpoint_cost", {"parameters": n}, "total + weights"),  # a checkpoint has no gradients, which are as many bytes as the weights
        ]
        for n in SIZES
    ],
    "bytes of a published model's training state": [
        [
            ("training_memory", {"parameters": find("model_shape")(model=model)["parameters"]}, "total"),
            ("finetune_memory", {"model": model}, "full"),
        ]
        for model in DENSE
    ],
    "bytes of state for each trained parameter": [
        [
            ("training_memory", {"parameters": n}, "per_parameter"),
            ("lora_memory", {"model": model, "rank": 16}, "adapter_state / trainable"),
            ("finetune_memory", {"model": model, "rank": 16}, "full / (full_gradients / 2)"),
            ("sharding_fit", {"parameters": n, "gpus": 8}, "gpus * gpu_memory / largest"),
            ("zero_offload", {"parameters": n, "gpus": 8}, "gpu_memory / fits_whole"),
        ]
        for n, model in zip(SIZES, DENSE)
    ],
    "bytes of optimizer state and master copy": [
        [
            ("training_memory", {"parameters": n}, "optimizer + master"),
            ("zero_memory", {"parameters": n, "gpus": 1, "stage": 0}, "optimizer"),
            ("zero_offload", {"parameters": n, "gpus": 8}, "host_optimizer"),
            ("checkpoint_cost", {"parameters": n}, "moments + master"),
        ]
        for n in SIZES
    ],
    "bytes of fp32 training's state": [
        [
            ("training_memory", {"parameters": n, "weights": "fp32", "gradients": "fp32", "master": "none", "moments": moments}, "total"),
            ("dataparallel_root", {"parameters": n, "gpus": 4, "outputs": 0, "moments": moments}, "root_states"),
        ]
        for n in SIZES
        for moments in (0, 1, 2)
    ],
    "bytes of AdamW's moments of a parameter": [
        [
            ("training_memory", {"parameters": 1, "moment_dtype": dtype}, "optimizer"),
            ("adamw_state", {"dtype": dtype}, "after"),
        ]
        for dtype in ("bf16", "fp16", "fp32")
    ],
    "bytes on each GPU under ZeRO-3": [
        [
            ("zero_memory", {"parameters": 7_000_000_000, "gpus": gpus, "stage": 3}, "per_gpu"),
            ("sharding_fit", {"parameters": 7_000_000_000, "gpus": gpus}, "per_gpu"),
            ("zero_offload", {"parameters": 7_000_000_000, "gpus": gpus}, "zero_3"),
        ]
        for gpus in (1, 8, 64)
    ],
    "bytes of a layer's activations, fused attention": [
        [
            # 34 s b h and the row statistics; without the two dropout masks, a byte each, and without the statistics
            (
                "activation_memory",
                {"width": h, "heads": h // 64, "layers": layers, "tokens": s},
                "flash_layer - 2 * tokens * width - 4 * heads * tokens",
            ),
            ("no_grad_memory", {"width": h, "layers": layers, "tokens": s}, "saved / layers"),
        ]
        for h, layers, s in ((768, 12, 1024), (1024, 24, 2048), (4096, 32, 8192))
    ],
    "bytes of a layer's activations as torch saves them": [
        [
            ("activation_memory", {"width": h, "heads": h // 64, "layers": 3, "tokens": 128}, "flash_layer / tokens / width - 2"),
            ("lora_activations", {"width": h, "tokens": 128}, "full"),
        ]
        for h in (128, 256, 512)
    ],
    "bytes of attention's matrices kept for the backward pass": [
        [
            ("activation_memory", {"width": 64 * a, "heads": a, "layers": 1, "tokens": s}, "naive_layer * matrix_share"),
            ("attention_matrix", {"tokens": s, "heads": a}, "2.5 * per_layer"),  # scores' softmax and its dropout in 16 bits, the mask in 8
        ]
        for a, s in ((12, 1024), (16, 2048), (32, 4096))
    ],
    "bytes of scores and probabilities in a forward pass": [
        [
            ("attention_memory", {"tokens": s, "heads": a}, "naive - tokens**2 - 2 * tokens * heads * head_dim"),  # without mask and output
            ("attention_matrix", {"tokens": s, "heads": a}, "2 * per_layer"),
        ]
        for a, s in ((12, 1024), (32, 8192), (64, 131072))
    ],
    "bytes of attention's row statistics": [
        [
            ("attention_memory", {"tokens": s, "heads": a, "head_dim": 64}, "flash - 2 * tokens * heads * head_dim"),
            ("activation_memory", {"width": 64 * a, "heads": a, "layers": 1, "tokens": s}, "flash_layer - selective"),
        ]
        for a, s in ((12, 1024), (16, 2048), (32, 131072))
    ],
    "bytes of weights in fp32": [
        [
            ("dataparallel_root", {"parameters": n, "gpus": 2, "outputs": 0}, "model"),
            ("federated_traffic", {"parameters": n}, "model"),
            ("training_memory", {"parameters": n, "weights": "fp32"}, "weights"),
        ]
        for n in (1_000_000, *SIZES)
    ],
    "bytes of vectors": [
        [
            ("vector_memory", {"vectors": n, "dimension": d, "value_bytes": size}, "flat"),
            ("exact_search", {"vectors": n, "dimension": d, "dtype": dtype}, "vectors_bytes"),
        ]
        for n, d, size, dtype in ((10**6, 768, 4, "fp32"), (10**7, 1024, 2, "bf16"), (10**9, 96, 4, "fp32"))
    ],
    "bytes that 2 x 2 max-pooling keeps in torch": [
        [
            ("maxpool_traffic", {"outputs": 4}, "torch_keeps / outputs"),
            ("maxpool_routing", {"size": size}, "saved_input + saved_positions"),
        ]
        for size in (4, 16, 64)
    ],
    "bytes of a norm's pass, an element": [
        [
            ("norm_traffic", {"dtype": "bf16"}, "fused"),
            ("roofline", {"operation": "norm", "tokens": tokens, "width": width}, "moved / tokens / width"),
        ]
        for tokens, width in ((4, 128), (8192, 8192), (2048, 4096))
    ],
    # ------------------------------------------------------------------------------------------------------- FLOP
    "FLOP of a forward pass over a sequence, causal": [
        [
            ("token_inflation", {"model": model, "tokens": tokens}, "flops"),
            ("finetune_flops", {"model": model, "sequence": tokens}, "full_forward * sequence"),
        ]
        for model in (*DENSE, "mixtral-8x7b")
        for tokens in (1, 1000, 131072)
    ],
    "FLOP of a prompt without the output head": [
        [
            ("prompt_or_tune", {"model": model, "saved": tokens}, "prefill"),
            ("token_inflation", {"model": model, "tokens": tokens}, f"flops - 2 * tokens * {SHAPES[model].d_model * SHAPES[model].vocab}"),
        ]
        for model, tokens in (("llama-2-7b", 100), ("llama-3-8b", 2000), ("gpt3-13b", 4096))
    ],
    "FLOP of a GPT's blocks, causal": [
        [
            ("attention_flops", {"d_model": SHAPES[model].d_model, "tokens": tokens, "layers": SHAPES[model].layers}, "per_token"),
            ("finetune_flops", {"model": model, "sequence": tokens}, f"full_forward - 2 * {SHAPES[model].d_model * SHAPES[model].vocab}"),
            ("operator_flops", {"model": model, "sequence": tokens, "causal": True}, f"products * {SHAPES[model].layers}"),
            (
                "tensor_parallel",
                {"width": SHAPES[model].d_model, "tokens": tokens, "gpus": 2},
                f"compute * rate * gpus / 3 / tokens * {SHAPES[model].layers}",
            ),
        ]
        for model, tokens in (("gpt2", 1024), ("gpt3-13b", 2048), ("gpt3-175b", 131072))
    ],
    "FLOP of the output head, a token": [
        [
            ("embedding_share", {"d_model": SHAPES[model].d_model, "layers": 1, "vocab": SHAPES[model].vocab}, "head_flops"),
            ("finetune_flops", {"model": model}, f"full_forward - 2 * {SHAPES[model].linear}"),
        ]
        for model in ("gpt2", "llama-3-8b", "llama-2-70b")
    ],
    "FLOP of scores and values, without a mask": [
        [
            ("attention_flops", {"d_model": 128 * a, "tokens": s, "causal": False}, "attention"),
            ("attention_memory", {"tokens": s, "heads": a, "head_dim": 128}, "flops"),
        ]
        for a, s in ((16, 1024), (32, 8192), (96, 131072))
    ],
    "FLOP of scores and values, causal": [
        [
            ("attention_flops", {"d_model": width, "tokens": tokens // 2}, "2 * attention"),
            ("roofline", {"operation": "prefill_attention", "tokens": tokens, "width": width}, "flops"),
        ]
        for width, tokens in ((1024, 4096), (4096, 8192), (8192, 65536))
    ],
    "FLOP of one new token's attention": [
        [
            (
                "decode_roofline",
                {"model": model, "context": tokens, "batch": 32},
                f"flops - batch * 2 * {SHAPES[model].linear + SHAPES[model].d_model * SHAPES[model].vocab}",
            ),
            ("roofline", {"operation": "decode_attention", "tokens": 4 * tokens, "width": SHAPES[model].d_model}, f"flops * {SHAPES[model].layers}"),
        ]
        for model, tokens in (("llama-2-7b", 1024), ("llama-3-8b", 8192), ("llama-2-70b", 4096))
    ],
    "FLOP of absorbed attention on latents": [
        [
            (
                "moe_weight_reads",
                {"model": "deepseek-v3", "tokens": 32, "context": tokens},
                f"(flops - 2 * used * tokens) / {SHAPES['deepseek-v3'].layers}",
            ),
            ("roofline", {"operation": "mla_attention", "tokens": 4 * tokens}, "flops"),
            ("mla_cache", {"heads": 128}, f"absorbed_flops * 32 * {tokens}"),
        ]
        for tokens in (1, 2048, 32768)
    ],
    "FLOP of a decode step of a dense model": [
        [
            ("decode_roofline", {"model": model, "batch": batch}, "flops"),
            ("moe_weight_reads", {"dense": model, "tokens": batch}, "dense_flops"),
        ]
        for model, batch in (("llama-2-13b", 1), ("llama-3-8b", 64), ("llama-3.2-1b", 8))
    ],
    "FLOP of a token through the weights": [
        [
            ("finetune_flops", {"model": model}, "full_forward"),
            *(
                [("moe_weight_reads", {"model": model}, "flops")]
                if SHAPES[model].experts > 1
                else [("decode_roofline", {"model": model}, "flops"), ("moe_weight_reads", {"dense": model}, "dense_flops")]
            ),
        ]
        for model in (*DENSE, "gpt2", "llama-3.2-1b", "mixtral-8x7b", "olmoe-1b-7b")
    ],
    "bytes of the weights that a step reads": [
        [
            ("decode_roofline", {"model": model}, "weights"),
            ("moe_weight_reads", {"dense": model}, "dense_read"),
            ("model_shape", {"model": model}, f"2 * (linear + norms + {SHAPES[model].d_model * SHAPES[model].vocab})"),
        ]
        for model in ("llama-2-7b", "llama-3.2-1b", "llama-3-70b", "mistral-7b")
    ],
    "experts that a batch touches": [
        [
            ("moe_weight_reads", {"model": "olmoe-1b-7b", "tokens": tokens}, "touched"),
            ("expert_loop", {"tokens": tokens, "launches": 1, "launch": 1.0}, "launching"),
        ]
        for tokens in (1, 16, 4096)
    ],
    "share of choices that balanced routing drops": [
        [
            ("moe_capacity", {"top_k": k, "factor": factor}, "dropped"),
            ("moe_batch_mates", {"top_k": k, "factor": factor, "skew": 0.0}, "dropped"),
        ]
        for k, factor in ((8, 1.0), (4, 1.0), (1, 1.0))
    ],
    "FLOP of training, a token": [
        [
            ("finetune_flops", {"model": model}, "full"),
            ("mixture_search", {"parameters": SHAPES[model].linear + SHAPES[model].d_model * SHAPES[model].vocab, "tokens": 1}, "run"),
            (
                "repeated_data",
                {"parameters": float(SHAPES[model].linear + SHAPES[model].d_model * SHAPES[model].vocab), "unique": 1e9, "epochs": 1.0},
                "compute / unique",
            ),
        ]
        for model in ("llama-2-7b", "llama-3-8b", "gpt3-13b")
    ],
    "FLOP of a mixture's experts": [
        [
            ("moe_all_to_all", {"tokens": tokens, "top_k": k, "d_model": d, "ffn": w}, "flops"),
            ("expert_loop", {"tokens": tokens, "experts": 64, "top_k": k, "d_model": d, "ffn": w}, f"arithmetic * {DEVICES['h100'].half}"),
        ]
        for tokens, k, d, w in ((4096, 8, 2048, 1024), (8192, 2, 4096, 14336), (1024, 8, 2048, 768))
    ],
    "FLOP of a LayerNorm, an element": [
        [
            ("norm_traffic", {}, "layer_flops"),
            ("roofline", {"operation": "norm", "tokens": tokens, "width": width}, "flops / tokens / width"),
            ("operator_flops", {"model": model, "sequence": 1}, f"norms / 2 / {SHAPES[model].d_model}"),
        ]
        for tokens, width, model in ((4, 128, "gpt2"), (8192, 8192, "bert-base"), (2048, 4096, "gpt3-175b"))
    ],
    "FLOP of a softmax, a score": [
        [
            # operator_flops has the scores scaled within the softmax, one operation more
            ("roofline", {"operation": "softmax", "tokens": tokens, "width": width}, "flops / tokens / width + 1"),
            ("operator_flops", {"model": model, "sequence": tokens}, f"softmax / {SHAPES[model].heads} / sequence"),
        ]
        for tokens, width, model in ((4, 128, "gpt2"), (8192, 8192, "bert-large"), (2048, 4096, "llama-2-7b"))
    ],
    "FLOP of a convolution": [
        [
            ("conv_stack", {"kernel_size": 1, "channels_in": c, "channels": c, "height": n, "width": 1}, "flops"),
            ("launch_bound", {"width": c, "rows": n}, "flops"),
            ("roofline", {"operation": f"gemm_{n}", "width": c}, "flops"),
        ]
        for c, n in ((256, 64), (1024, 256), (4096, 1024))
    ],
    # ---------------------------------------------------------------------------------------- devices and roofs
    "ridge in 16 bits": [
        [
            ("data_sheet", {"gpu": gpu}, "ridge"),
            ("data_sheet", {"gpu": gpu}, "half / bandwidth"),
            ("roofline", {"operation": "add", "gpu": gpu}, "ridge"),
            ("decode_roofline", {"model": "llama-3-8b", "gpu": gpu, "gpus": 4}, "ridge"),
            ("moe_weight_reads", {"gpu": gpu}, "ridge"),
            ("weight_only_gain", {"gpu": gpu}, "gone_from"),
            ("exact_search", {"gpu": gpu, "dtype": "fp16"}, "queries_even"),
            ("launch_bound", {"gpu": gpu}, "peak / bandwidth"),
        ]
        for gpu in GPUS
    ],
    "ridge of the ordinary cores": [
        [
            ("data_sheet", {"gpu": gpu}, "fp32 / bandwidth"),
            ("norm_traffic", {"peak": DEVICES[gpu].peak["fp32"], "bandwidth": DEVICES[gpu].bandwidth}, "ridge"),
            *([("norm_traffic", {}, "ridge"), ("exact_search", {"dtype": "fp32"}, "queries_even / 2")] if gpu == "h100" else []),
        ]
        for gpu in GPUS
    ],
    "peaks by format": [
        [
            ("mixed_precision_speed", {"gpu": "a100"}, mixed),
            ("format_speed", {"format": name}, speed),
            ("data_sheet", {"gpu": "a100"}, sheet),
        ]
        for name, mixed, speed, sheet in (
            ("fp16", "rate_half", "peak", "half"),
            ("fp32", "rate_fp32", "peak", "fp32"),
            ("fp16", "rate_ratio", "peak_ratio", "half / fp32"),
        )
    ],
    "links of a node": [
        [
            ("data_sheet", {"gpu": gpu}, "link"),
            ("hierarchical_allreduce", {"nodes": 1, "per_node": 8, "size": 1e9, "inside_bandwidth": CLUSTERS[node].inside}, "bus"),
            *([("moe_all_to_all", {}, "bandwidth"), ("ddp_overlap", {"size": 1e9, "backward": 0.1}, "bus")] if gpu == "h100" else []),
        ]
        for gpu, node in (("a100", "dgx-a100"), ("h100", "dgx-h100"), ("b200", "dgx-b200"))
    ],
    "memory of a device": [
        [
            ("data_sheet", {"gpu": gpu}, "memory"),
            (kernel, parameters, "memory" if kernel != "sharding_fit" and kernel != "zero_offload" else "gpu_memory"),
        ]
        for gpu, kernel, parameters in (
            ("a100", "serving_memory", {"model": "llama-3-8b"}),
            ("h100", "attention_memory", {"tokens": 1024}),
            ("h100", "sharding_fit", {"parameters": 10**9, "gpus": 8}),
            ("rtx-4090", "zero_offload", {"parameters": 10**9, "gpus": 8}),
        )
    ],
    # ------------------------------------------------------------------------------------------------------ times
    "time to read a model's weights once": [
        [
            ("decode_roofline", {"model": model, "gpu": gpu}, "weights_time"),
            ("moe_weight_reads", {"dense": model}, f"dense_read / {DEVICES[gpu].bandwidth!r}"),
        ]
        for model, gpu in (("llama-2-13b", "a100"), ("llama-3-8b", "h100"), ("llama-3.2-1b", "h200"))
    ],
    "time of a decode step": [
        [
            ("decode_roofline", {"model": target, "context": context, "gpus": gpus}, "time"),
            ("speculative_roofline", {"target": target, "context": context, "target_gpus": gpus}, "target_time"),
            ("speculative_roofline", {"draft": target, "context": context, "draft_gpus": gpus}, "draft_time"),
        ]
        for target, context, gpus in (("llama-3-8b", 0, 1), ("llama-3-70b", 1024, 4), ("llama-2-7b", 8192, 1))
    ],
    "time of a decode step of a batch": [
        [
            ("decode_roofline", {"model": model, "batch": batch, "context": context, "bits": bits, "gpu": gpu}, "time"),
            ("moe_weight_reads", {"dense": model, "tokens": batch, "context": context, "bits": bits, "gpu": gpu}, "dense_step"),
        ]
        for model, batch, context, bits, gpu in (
            ("llama-2-13b", 1, 0, 16.0, "h100"),
            ("llama-2-13b", 32, 2048, 16.0, "a100"),
            ("llama-3-8b", 1024, 100, 4.125, "h200"),
        )
    ],
    "speed-up of drafting where checking is free": [
        [
            ("speculative_speedup", {"acceptance": a, "draft_tokens": g, "cost_ratio": 1.0}, "speedup"),
            (
                "speculative_roofline",
                {"target": "llama-3-8b", "draft": "llama-3-8b", "acceptance": a, "draft_tokens": g, "context": 0},
                "speedup",
            ),
        ]
        for a, g in ((0.5, 2), (0.8, 4), (0.95, 8))
    ],
    "time of one matrix product": [
        [
            ("roofline", {"operation": f"gemm_{rows}", "width": width, "gpu": gpu}, "time"),
            ("launch_bound", {"width": width, "rows": rows, "by": "layer", "launch": 1e-9, "gpu": gpu}, "time"),
            ("conv_stack", {"kernel_size": 1, "channels_in": width, "channels": width, "height": rows, "width": 1, "gpu": gpu}, "time"),
        ]
        for rows, width, gpu in ((16, 1024, "h100"), (256, 4096, "a100"), (8192, 8192, "h200"))
    ],
    "time of a convolution": [
        [
            ("conv_blocks", {"channels": c, "batch": batch, "size": size}, f"{name}_time"),
            ("conv_stack", {"kernel_size": k, "channels_in": c, "channels": c, "batch": batch, "height": size, "width": size}, "time"),
        ]
        for c, batch, size in ((64, 1, 7), (256, 32, 56), (512, 8, 14))
        for name, k in (("plain", 3), ("pointwise", 1))
    ],
    "time of a mixture's experts, no launches": [
        [
            ("expert_loop", {"tokens": tokens, "experts": 64, "top_k": k, "d_model": d, "ffn": w, "launch": 0.0}, "arithmetic"),
            ("moe_all_to_all", {"tokens": tokens, "top_k": k, "d_model": d, "ffn": w}, "compute_time"),
        ]
        for tokens, k, d, w in ((4096, 8, 2048, 1024), (8192, 2, 4096, 14336), (1024, 8, 2048, 768))
    ],
    "time to read all vectors": [
        [
            ("vector_memory", {"vectors": n, "dimension": d}, "read_time"),
            ("exact_search", {"vectors": n, "dimension": d}, "reading"),
        ]
        for n, d in ((10**6, 768), (10**7, 1024), (10**9, 96))
    ],
    # ------------------------------------------------------------------------------------------------- collectives
    "bytes that a GPU sends in an all-reduce": [
        [
            ("allreduce_cost", {"gpus": gpus, "size": 2.0 * n, "bandwidth": 1e9}, "sent_per_gpu"),
            ("allreduce_cost", {"gpus": gpus, "size": 2.0 * n, "bandwidth": 1e9}, "least_per_gpu"),
            ("hierarchical_allreduce", {"nodes": gpus // 8, "per_node": 8, "size": 2.0 * n}, "sent"),
            ("zero_memory", {"parameters": n, "gpus": gpus, "stage": 0}, "sent"),
            ("zero_memory", {"parameters": n, "gpus": gpus, "stage": 3}, "sent / communication"),
            ("zero_traffic", {"parameters": n, "nodes": gpus // 8, "rate": 4e14}, "sent_0"),
            ("zero_traffic", {"parameters": n, "nodes": gpus // 8, "rate": 4e14}, "sent_3 / 1.5"),
        ]
        for gpus, n in ((8, 124_000_000), (64, 7_000_000_000), (1024, 70_000_000_000))
    ],
    "bytes that a GPU sends, played through": [
        [
            ("allreduce_cost", {"gpus": gpus, "size": 3200.0, "bandwidth": 1e9, "algorithm": "ring"}, "sent_per_gpu"),
            ("ring_allreduce", {"gpus": gpus, "elements": 800}, "4 * most_sent"),
        ]
        for gpus in (2, 8, 16)
    ],
    "bytes that a GPU sends where all send all": [
        [
            ("allreduce_cost", {"gpus": gpus, "size": 3200.0, "bandwidth": 1e9, "algorithm": "naive"}, "sent_per_gpu"),
            ("ring_allreduce", {"gpus": gpus, "elements": 800}, "4 * naive_sent"),
        ]
        for gpus in (2, 8, 16)
    ],
    "bytes that a GPU sends for a layer under tensor parallelism": [
        [
            ("tensor_parallel", {"width": width, "tokens": tokens, "gpus": gpus}, "sent"),
            ("allreduce_cost", {"gpus": gpus, "size": 2.0 * width * tokens, "bandwidth": 1e9}, "4 * sent_per_gpu"),
        ]
        for width, tokens, gpus in ((4096, 2048, 2), (8192, 4096, 8), (12288, 2048, 8))
    ],
    "steps of an all-reduce": [
        [
            ("allreduce_cost", {"gpus": gpus, "size": 1e9, "bandwidth": 1e9, "algorithm": algorithm}, "steps"),
            ("hierarchical_allreduce", {"nodes": gpus, "per_node": 1, "size": 1e9}, steps),
            *([("ring_allreduce", {"gpus": gpus}, "steps")] if algorithm == "ring" else []),
        ]
        for gpus in (2, 8, 32)
        for algorithm, steps in (("ring", "flat_steps"), ("tree", "tree_steps"))
    ],
    "time of a ring all-reduce, a GPU a node": [
        [
            ("allreduce_cost", {"gpus": gpus, "size": size, "bandwidth": 50e9, "latency": 9.6e-6}, "time"),
            ("hierarchical_allreduce", {"nodes": gpus, "per_node": 1, "size": size, "across_bandwidth": 50e9, "across_latency": 9.6e-6}, "flat_time"),
        ]
        for gpus, size in ((2, 1e6), (8, 14e9), (64, 140e9))
    ],
    "time of a ring all-reduce in one node": [
        [
            ("allreduce_cost", {"gpus": gpus, "size": size, "bandwidth": DGX.inside, "latency": 3.4e-6}, "time"),
            ("hierarchical_allreduce", {"nodes": 1, "per_node": gpus, "size": size, "inside_latency": 3.4e-6}, "flat_time"),
            ("hierarchical_allreduce", {"nodes": 1, "per_node": gpus, "size": size, "inside_latency": 3.4e-6}, "time"),
        ]
        for gpus, size in ((2, 1e6), (8, 14e9), (8, 140e9))
    ],
    "time of an all-reduce over nodes": [
        [
            ("hierarchical_allreduce", {"nodes": nodes, "per_node": 8, "size": size}, "min(flat_latency, tree_latency) + bytes_time"),
            ("ddp_overlap", {"nodes": nodes, "size": size, "backward": 1.0, "bucket": 1e12}, "communication"),
            ("ddp_overlap", {"nodes": nodes, "size": size, "backward": 1e-9, "bucket": 1e12}, "at_once"),
        ]
        for nodes, size in ((1, 2e9), (4, 14e9), (64, 140e9))
    ],
    "bus bandwidth over nodes": [
        [
            ("hierarchical_allreduce", {"nodes": nodes, "per_node": 8, "size": 1e9}, "bus"),
            ("ddp_overlap", {"nodes": nodes, "size": 1e9, "backward": 0.1}, "bus"),
            ("zero_traffic", {"parameters": 10**9, "nodes": nodes, "rate": 4e14}, "bus"),
        ]
        for nodes in (1, 2, 32)
    ],
    "time to send a step's gradients and weights": [
        [
            ("hierarchical_allreduce", {"nodes": nodes, "per_node": 8, "size": 2.0 * n}, "bytes_time"),
            ("zero_traffic", {"parameters": n, "nodes": nodes, "rate": 4e14}, "time_1"),
            ("zero_traffic", {"parameters": n, "nodes": nodes, "rate": 4e14}, "time_3 / 1.5"),
        ]
        for n, nodes in ((7_000_000_000, 1), (7_000_000_000, 8), (70_000_000_000, 128))
    ],
    "time of tensor parallelism's all-reduces": [
        [
            ("tensor_parallel", {"width": 8192, "tokens": tokens, "gpus": 8}, name),
            (
                "hierarchical_allreduce",
                {"nodes": nodes, "per_node": 8 // nodes, "size": 2.0 * 8192 * tokens},
                "4 * (min(flat_latency, tree_latency) + bytes_time)",
            ),
        ]
        for tokens in (2048, 8192)
        for nodes, name in ((1, "inside_time"), (2, "halves_time"), (8, "across_time"))
    ],
    # ------------------------------------------------------------------------------------ formats, input, statistics
    "the step above 1 in fp32": [
        [
            ("float_format", {"format": "fp32"}, f"epsilon * {mask}"),
            ("secure_aggregation", {"mask": float(mask)}, "float_spacing"),
        ]
        for mask in (1, 1024, 2**20)
    ],
    "what fp16 rounds to zero": [
        [("float_format", {"format": "fp16"}, f"smallest / 2 / {scale}"), ("loss_scaling", {"scale": float(scale)}, "zero_below")]
        for scale in (1, 1024, 65536)
    ],
    "what fp16 rounds to infinity": [
        [
            ("float_format", {"format": "fp16"}, f"(largest + 2**15 * epsilon / 2) / {scale}"),  # half a step above the largest
            ("loss_scaling", {"scale": float(scale)}, "infinite_from"),
        ]
        for scale in (1, 1024, 65536)
    ],
    "where a running sum of ones stops": [
        [("float_format", {"format": name}, "stall"), ("low_precision_sum", {"n": n}, name)]
        for name, n in (("fp16", 5000), ("bf16", 5000), ("bf16", 300))
    ],
    "share of time that a GPU computes behind workers": [
        [
            ("loader_step", {"load": load, "compute": 0.1, "workers": workers}, "utilisation"),
            ("loader_jitter", {"load": load, "compute": 0.1, "workers": workers, "batches": 100}, "limit"),
        ]
        for load, workers in ((0.4, 2), (0.4, 4), (0.5, 16))
    ],
    "samples a second that a storage's bandwidth gives": [
        [
            ("small_reads", {"sample": sample, "bandwidth": bandwidth}, "full_rate"),
            ("input_demand", {"sample": sample, "storage": bandwidth}, "samples_storage"),
        ]
        for sample, bandwidth in ((110e3, 3e9), (1e6, 125 * 2**20), (4e3, 1e9))
    ],
    "Amdahl's law": [
        [
            ("attention_flops", {"d_model": 4096, "tokens": tokens, "faster": faster}, "attention_share"),
            (
                "partial_speedup",
                {"faster": faster, "overall": find("attention_flops")(d_model=4096, tokens=tokens, faster=faster)["block_speedup"]},
                "share",
            ),
        ]
        for tokens, faster in ((2048, 2.0), (8192, 4.0), (131072, 10.0))
    ],
    "Amdahl's law of mixed precision": [
        [
            ("mixed_precision_speed", {"products": products, "memory": 0.0}, "products"),
            (
                "partial_speedup",
                {
                    "faster": find("mixed_precision_speed")(products=products, memory=0.0)["rate_ratio"],
                    "overall": find("mixed_precision_speed")(products=products, memory=0.0)["speedup"],
                },
                "share",
            ),
        ]
        for products in (0.3, 0.8, 0.95)
    ],
    "Adam's first step without bias correction": [
        [("adam_first_step", {"beta2": beta2}, "uncorrected"), ("adam_jump", {"beta2": beta2}, "first_at_most")] for beta2 in (0.95, 0.99, 0.999)
    ],
    "temperature from one probability to another": [
        [
            ("binary_temperature", {"confidence": stated, "accuracy": true}, "temperature"),
            ("temperature_softmax", {"probability": 1 - stated, "wanted": 1 - true}, "pair_temperature"),
        ]
        for stated, true in ((0.9, 0.6), (0.99, 0.8), (0.75, 0.7))
    ],
    "loss at chance of two": [
        [
            ("chance_loss", {"classes": 2}, "uniform"),
            ("preference_loss", {"beta": beta}, "loss_at_start"),
        ]
        for beta in (0.1, 0.5, 1.0)
    ],
    "loss of a stated confidence": [
        [
            ("preference_loss", {"chosen": math.log(p / (1 - p))}, "loss_reversed"),
            ("chance_loss", {"confidence": p}, "reversed"),
        ]
        for p in (0.6, 0.9, 0.99)
    ],
    "standard error of an accuracy": [
        [
            ("gap_sample_size", {"accuracy": 0.6, "gap": gap}, "standard_error"),
            ("group_share", {"group": 0.6, "n": find("gap_sample_size")(accuracy=0.6, gap=gap)["examples"]}, "standard_error"),
        ]
        for gap in (0.1, 0.05, 0.01)
    ],
    "half-width of a normal interval": [
        [
            ("binomial_interval", {"successes": 60 * n, "n": 100 * n}, "(normal_upper - normal_lower) / 2"),
            ("seed_runs", {"sd": math.sqrt(0.24), "seeds": 100 * n}, "normal_half_width"),
        ]
        for n in (1, 3, 10)
    ],
    "risk of two normal classes": [
        [
            ("decision_cost", {"separation": d, "prior": 0.5}, "1 - accuracy"),
            ("selective_risk", {"separation": d}, "risk_all"),
            ("threshold_gain", {"separation": d / 2}, "1 - best"),
        ]
        for d in (0.5, 2.0, 4.0)
    ],
    "gap between confidence and accuracy": [
        [
            ("binary_temperature", {"confidence": stated, "accuracy": 0.6}, "gap"),
            ("calibration", {"n": 1000, "accuracy": 0.6, "confidence_a": stated, "spread": 0.0}, "ece_a"),
        ]
        for stated in (0.7, 0.9, 0.99)
    ],
    "loss of one constant confidence": [
        [
            ("chance_loss", {"confidence": stated, "accuracy": 0.88}, "confident"),
            ("calibration", {"n": 1000, "confidence_a": stated}, "nll_constant_a"),
        ]
        for stated in (0.7, 0.9, 0.99)
    ],
    "the best of n": [
        [
            ("seed_runs", {"seeds": n}, "best_sds / sqrt(2)"),
            ("reward_overoptimisation", {"n": n, "tail": 1000.0, "scale": 1.0}, "true"),  # an error as wide as what it hides
        ]
        for n in (2, 16, 256)
    ],
    "chance of an event to be in a reservoir": [
        [
            ("reservoir_replacements", {"k": k, "n": n}, "inclusion"),
            ("reservoir_inclusion", {"k": k, "n": n}, "first"),
            ("reservoir_inclusion", {"k": k, "n": n}, "last_k"),
            ("weighted_reservoir", {"k": k, "n": n, "weight": 1.0}, "heavy"),
        ]
        for k, n in ((10, 1000), (100, 1000), (500, 2000))
    ],
    "share of the latest items in a reservoir that overwrites": [
        [
            ("reservoir_forgetting", {"k": k, "age": n - k}, "survival"),
            ("reservoir_inclusion", {"k": k, "n": n, "policy": "replace-always"}, "first"),
        ]
        for k, n in ((10, 50), (100, 1000), (1000, 5000))
    ],
    "share of places that hold tokens": [
        [
            ("padded_batch", {"first": a, "second": b, "third": c}, "tokens / places"),
            ("padded_batch", {"first": a, "second": b, "third": c, "loss": 2.0}, "mean_over_places / loss"),
            ("mean_of_means", {"tokens_a": a + b + c, "loss_a": 1.0, "tokens_b": 3 * max(a, b, c) - a - b - c, "loss_b": 0.0}, "token_mean"),
        ]
        for a, b, c in ((5, 8, 3), (100, 120, 10), (7, 6, 5))
    ],
}

WITHIN = {
    "bytes of a layer's activations as torch saves them": (0.01, "norms' and attention's statistics, a few bytes a token"),
    "the embedding's share of a small model": (1e-9, "scaling_bend finds the width by bisection"),
    "half-width of a normal interval": (1e-9, "both take a quantile"),
    "share of choices that balanced routing drops": (0.1, "an expectation, against one draw of twenty batches"),
    "loss of one constant confidence": (1e-4, "the mean of confidences in fp32"),
    "the best of n": (0.01, "Student's t with 1,000 degrees of freedom for a normal error; both integrals are sums"),
    "gap between confidence and accuracy": (1e-5, "calibration's confidences are fp32"),
    "risk of two normal classes": (1e-9, "quantiles and tails of the normal distribution"),
    "share of the latest items in a reservoir that overwrites": (1e-9, "thousands of factors multiplied, against a power"),
    "Amdahl's law": (1e-9, "a difference of near numbers, turned back"),
    "Amdahl's law of mixed precision": (1e-9, "a difference of near numbers, turned back"),
}


@functools.cache
def _found(kernel: str, given: tuple[tuple[str, Any], ...]) -> Any:
    declared = find(kernel)
    drawn = {"seed": 0} if declared.takes_seed else {}
    return declared(**dict(given), **drawn)


def value(kernel: str, parameters: dict[str, Any], expression: str) -> float:
    result = _found(kernel, tuple(parameters.items()))
    asked = set(compile(expression, kernel, "eval").co_names) - NAMES.keys() - {"min", "max"}
    known = {name: result[name] if name in find(kernel).outputs else result.parameters[name] for name in asked}
    return float(eval(expression, {"__builtins__": {}, "min": min, "max": max, **NAMES, **known}))


CASES = [SimpleNamespace(quantity=quantity, ways=ways) for quantity, settings in SAME.items() for ways in settings]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.quantity)
def test_equal_premises_give_the_equal_number(case):
    """The first way is the reference; every other way agrees with it."""
    reference, *others = ((kernel, parameters, expression, value(kernel, parameters, expression)) for kernel, parameters, expression in case.ways)
    tolerance, _ = WITHIN.get(case.quantity, (ROUNDING, "rounding"))
    assert others
    for other in others:
        assert other[-1] == pytest.approx(reference[-1], rel=tolerance, abs=0), (reference, other)


@pytest.mark.parametrize("quantity", SAME)
def test_a_quantity_has_three_settings_and_two_kernels(quantity):
    assert len(SAME[quantity]) >= 3
    assert len({kernel for ways in SAME[quantity] for kernel, *_ in ways}) >= 2
    numbers = {value(*ways[0]) for ways in SAME[quantity]}
    assert len(numbers) > 1 or quantity in CONSTANTS, "all settings have one number"


CONSTANTS = {
    "FLOP of a softmax, a score",
    "bytes of state for each trained parameter",
    "bytes of a norm's pass, an element",
    "FLOP of a LayerNorm, an element",
    "loss at chance of two",
    "bytes that 2 x 2 max-pooling keeps in torch",
    "where a running sum of ones stops",
    "bytes of a layer's activations as torch saves them",
}


def test_tolerances_are_for_quantities_of_the_table():
    assert WITHIN.keys() <= SAME.keys()
    assert SAME.keys() >= CONSTANTS
    assert all(reason for _, reason in WITHIN.values())
