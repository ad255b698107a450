"""TFLM's tensor arena: how large it must be and where everything lies, without running TFLM."""

from firmware_ref.arena.offline_plan import OfflinePlan, plan_offline, write_offline_plan
from firmware_ref.arena.plan import ArenaPlan, plan_arena

__all__ = ["ArenaPlan", "OfflinePlan", "plan_arena", "plan_offline", "write_offline_plan"]
