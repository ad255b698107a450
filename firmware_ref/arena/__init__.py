"""TFLM's tensor arena: how large it must be and where everything lies, without running TFLM."""

from firmware_ref.arena.plan import ArenaPlan, plan_arena

__all__ = ["ArenaPlan", "plan_arena"]
